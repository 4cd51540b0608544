package repl

import "github.com/c-bata/go-prompt"

// event is why Input was made to return without a line.
type event uint8

const (
	noEvent     event = iota
	interrupted       // Ctrl-C: drop the half statement
	resized           // draw the line again
	closed            // the terminal or the context is gone
)

// console is a terminal as the prompt needs it.
type console interface {
	prompt.ConsoleParser
	// restore puts the terminal's settings back. It may be called at any time,
	// from any goroutine, and more than once.
	restore()
	// post makes the prompt look at an event soon. Safe from any goroutine.
	post(event)
	// take returns the event that the wake key was handed out for.
	take() event
	// release lets keys be handed out again after one that might have ended
	// the line and did not.
	release()
	// busy says that many keys wait to be handed out, as after a paste.
	busy() bool
	// atEOF says that the last key handed out was Ctrl-D.
	atEOF() bool
	// forget drops the keys that wait.
	forget()
	// size is the number of rows and columns, 0 when unknown.
	size() (rows, columns int)
}
