"""What each command does, without a terminal: settings in, events out."""
