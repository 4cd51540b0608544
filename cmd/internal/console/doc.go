// Package console is ksqlDB's console on a server: it reads statements and
// commands, keeps the session's properties and variables, sends what belongs to
// the server and prints what comes back.
package console
