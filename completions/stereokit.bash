# bash completion of stereokit
_stereokit() {
    local IFS=$'\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _STEREOKIT_COMPLETE=complete_bash \
        "$1" 2>/dev/null </dev/null))
}
complete -o default -F _stereokit stereokit
