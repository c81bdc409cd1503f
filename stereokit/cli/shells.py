"""Completion scripts: each asks the program itself, so that names of the catalogue never go stale."""

_BASH = """\
# bash completion of stereokit
_stereokit() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _STEREOKIT_COMPLETE=complete_bash \\
        "$1" 2>/dev/null </dev/null))
}
complete -o default -F _stereokit stereokit
"""

_ZSH = """\
#compdef stereokit
# zsh completion of stereokit
_stereokit() {
    local answer
    answer=$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _STEREOKIT_COMPLETE=complete_zsh \\
        stereokit 2>/dev/null </dev/null)
    if [[ -n $answer ]]; then
        eval "$answer"
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _stereokit ]]; then
    _stereokit "$@"
else
    compdef _stereokit stereokit
fi
"""

_FISH = """\
# fish completion of stereokit
function __stereokit_complete
    set -lx _STEREOKIT_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
    set -lx _TYPER_COMPLETE_FISH_ACTION get-args
    stereokit 2>/dev/null </dev/null
end
complete --command stereokit --arguments '(__stereokit_complete)'
"""

COMPLETION_SCRIPTS = {"stereokit.bash": _BASH, "_stereokit": _ZSH, "stereokit.fish": _FISH}
