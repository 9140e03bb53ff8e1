# Completion of coral for fish. 'coral complete' knows the candidates; see 'coral completion --help'.
function __coral_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' -- $HOME $words[1])
    set -e words[1]
    for line in ($program complete -- $words $current 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path $current
            case :directories
                __fish_complete_directories $current
            case '*'
                echo $line
        end
    end
end
complete -c coral -f -a '(__coral_complete)'
