// Package simulation runs a whole cluster in one process and in time of its own: three or four servers (executors with node
// ids, each with a disk), three brokers (kfake), a client that writes inputs and reads outputs, and the network between them.
// What happens is drawn from a seed: a script of faults, a query, its inputs. A minute of theirs takes a tenth of a second.
//
//	go test ./tests/simulation                                        # about 10 s of it
//	go test ./tests/simulation -run TestSimulation -scenarios 1000 -v # a thousand scenarios
//	go test ./tests/simulation -run TestSeed -seed 17 -v [-trace]     # one of them, with its log
//
// # How
//
// Each scenario is a bubble of testing/synctest: its clock moves on when every goroutine waits. The network is our own: unlike
// net.Pipe, which kfake's virtual network is made of, it has room for bytes under way, so that requests of servers that are
// dead or given up arrive late. Disks are in memory and can lose their power (what was synced stays, the rest with a
// chance), fill up, fail and flip bytes. A killed server's goroutines run on in a world that nobody sees: its connections
// have ended and its successor has a copy of its disk as of that moment. A frozen one is a server to and from which nothing
// comes through; its own clock goes on, so it notices, other than one that was stopped by a signal (see tests/fault for those).
//
// The script is the same for a seed each time. What happens is not: synctest does not order goroutines that run at the same
// moment, so a seed that failed may pass the next time. Run it several times; about one in three runs is usual.
//
// A goroutine that waits for a mutex whose holder waits for the clock would stop the bubble's time. Such a scenario ends the
// test with all goroutines shown after three minutes of real time.
//
// # What must hold
//
// The checker is workload's: each input shows once in the committed outputs, running counts go 1, 2, 3 …, sessions and windows
// are those of the inputs, pairs of a join occur once; at least once nothing is missing. When all faults are over everything is
// processed within three minutes, each partition has one owner, what servers answer to pull queries is what the outputs come to,
// the accounting closes. Meanwhile the counts that owners answer never go back, whoever answers. At the end all servers are
// replaced by one with an empty disk, which must have the same rows from the changelogs, and go on where the others ended. No
// goroutine is left: synctest says so. TestControl shows that wrong protocols are found.
//
// docs/faults.md says which line of the fault table is tested where.
package simulation
