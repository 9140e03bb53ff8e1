#compdef coral
# Completion of coral for zsh. 'coral complete' knows the candidates; see 'coral completion --help'.
_coral() {
  local line name
  local -a candidates
  local program=${(Q)words[1]}
  for line in "${(@f)$("${program/#\~/$HOME}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files)
        _files
        return
        ;;
      :directories)
        _files -/
        return
        ;;
      *)
        # _describe takes what is behind a colon for the description.
        name=${${line%%$'\t'*}//:/\\:}
        if [[ $line == *$'\t'* ]]; then
          candidates+=("$name:${line#*$'\t'}")
        else
          candidates+=("$name")
        fi
        ;;
    esac
  done
  (( $#candidates )) && _describe 'coral' candidates
}
if [[ $funcstack[1] == _coral ]]; then
  _coral "$@" # loaded from fpath
else
  compdef _coral coral
fi
