// Package fault kills ksqlgo, takes its disk away and damages its files, as a process of its own and under load, and checks
// that nothing is lost and nothing counted twice.
//
//	go test ./tests/fault                       # a few kills
//	go test ./tests/fault -run Kill -long -v    # sixty kills, half a million inputs
package fault
