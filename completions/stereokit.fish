# fish completion of stereokit
function __stereokit_complete
    set -lx _STEREOKIT_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
    set -lx _TYPER_COMPLETE_FISH_ACTION get-args
    stereokit 2>/dev/null </dev/null
end
complete --command stereokit --arguments '(__stereokit_complete)'
