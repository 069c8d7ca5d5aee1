"""An invented school, told through commands, so that it can't drift from them."""
