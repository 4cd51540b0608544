package repl

import "os"

// watched are the signals the prompt acts on.
func watched() []os.Signal { return []os.Signal{os.Interrupt} }

func isResize(os.Signal) bool { return false }
