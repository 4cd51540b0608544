//go:build ksqlgo_control

package exec

import "time"

// A binary with the tag ksqlgo_control commits in the wrong order: the checkers of the fault tests must find that out.
const stateFirst, window = true, 50 * time.Millisecond
