# Completion of coral for bash. 'coral complete' knows the candidates; see 'coral completion --help'.
_coral() {
  local answer candidate current=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  answer=$("${COMP_WORDS[0]/#\~/$HOME}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return 0
  # Without compgen -W, which would expand what it is given.
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      '') ;;
      :files | :directories)
        compopt -o filenames 2>/dev/null
        while IFS= read -r candidate; do
          COMPREPLY+=("$candidate")
        done < <(if [ "$candidate" = :files ]; then compgen -f -- "$current"; else compgen -d -- "$current"; fi)
        ;;
      *) COMPREPLY+=("$candidate") ;;
    esac
  done <<<"$answer"
}
complete -F _coral coral
