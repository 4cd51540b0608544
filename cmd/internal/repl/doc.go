// Package repl is the interactive prompt: line editing, history, completion
// and highlighting around go-prompt, and the terminal put back as it was on
// every way out.
//
// go-prompt by itself never restores the terminal, cannot be interrupted while
// a statement runs, deadlocks on a resize, and mangles pasted text. What this
// package does about it:
//
//   - terminal is a ConsoleParser of our own. It saves and restores the
//     terminal's settings, waits with poll(2), and hands keys out one by one
//     (keys.go). After a key that ends the line it hands out nothing until the
//     next line starts, so that no typed-ahead text is lost.
//   - The loop calls Prompt.Input, never Prompt.Run. Ctrl-C, a resize and the
//     end of the context arrive as keys whose binding makes Input return.
//   - screen is a ConsoleWriter of our own: it colours the input by tokens and
//     keeps back what go-prompt draws when it is made to return.
//   - Statements run with the terminal restored, so that Ctrl-C is a signal.
package repl
