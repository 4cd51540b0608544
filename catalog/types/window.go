package types

import "fmt"

// WindowType is the kind of a WINDOW clause.
type WindowType uint8

// The window types.
const (
	NoWindow WindowType = iota
	Tumbling
	Hopping
	Session
)

var windowNames = [...]string{"", "TUMBLING", "HOPPING", "SESSION"}

// String gives ksqlDB's name of the window type; "" for none.
func (w WindowType) String() string { return windowNames[w] }

// MarshalText writes the name.
func (w WindowType) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (w *WindowType) UnmarshalText(b []byte) error {
	for i, n := range windowNames {
		if n == string(b) {
			*w = WindowType(i)
			return nil
		}
	}
	return fmt.Errorf("types: unknown window type %q", b)
}

// WindowSpec is a resolved WINDOW clause. All lengths are milliseconds.
type WindowSpec struct {
	Type WindowType `json:"type"`
	// SizeMs of TUMBLING and HOPPING windows; the gap of SESSION windows.
	SizeMs int64 `json:"sizeMs,omitempty"`
	// AdvanceMs of HOPPING windows; equals SizeMs for TUMBLING.
	AdvanceMs int64 `json:"advanceMs,omitempty"`
	// GraceMs after a window's end during which late rows still count. ksqlDB's default when the clause is absent is
	// 24 h minus the size, at least 0: the planner fills it in.
	GraceMs int64 `json:"graceMs"`
	// RetentionMs a window is kept for queries, at least size + grace.
	RetentionMs int64 `json:"retentionMs,omitempty"`
}

// Window is one window of time in milliseconds. The end is exclusive for TUMBLING and HOPPING, inclusive for SESSION.
type Window struct {
	Start, End int64
}
