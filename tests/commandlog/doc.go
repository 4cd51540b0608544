// Package commandlog tests the command log between processes' worth of servers: storms of statements at several servers at
// once, faults of the broker while commands are written, and brokers that go away while servers follow.
package commandlog
