// Package e2e runs whole programs on whole servers: the gallery over REST, input that cannot be read, restarts, and the
// command lines of the binaries.
package e2e
