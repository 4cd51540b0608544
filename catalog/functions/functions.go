// Package functions says what a SQL function is and which overload a call means; the functions themselves live in a
// package a theme below this one, and functions/builtin lists them.
package functions

import (
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Kind tells the three kinds of functions apart.
type Kind uint8

// The kinds of functions.
const (
	ScalarKind Kind = iota
	AggregateKind
	TableKind
)

// String gives the name SHOW FUNCTIONS prints.
func (k Kind) String() string { return [...]string{"SCALAR", "AGGREGATE", "TABLE"}[k] }

// Spec describes one function completely: what users read, what the planner resolves, what the engine runs, and the
// examples that run as tests. Specs are immutable.
type Spec struct {
	// Name in upper case.
	Name string
	Kind Kind
	// Spelling is the name as ksqlDB's error texts print it; empty means lower case, upper case for aggregates.
	Spelling string
	// Category as in SHOW FUNCTIONS: MATHEMATICAL, STRING, ARRAY, MAP, LAMBDA, JSON, DATE / TIME, CONDITIONAL, REGULAR
	// EXPRESSION, CRYPTOGRAPHIC, URL, OTHER, AGGREGATE, TABLE.
	Category    string
	Description string
	// Scalars are the overloads of a scalar function, Aggregates those of an aggregate, Tables those of a table function.
	Scalars    []Scalar
	Aggregates []Aggregate
	Tables     []Table
	Examples   []Example
}

// Param is one parameter of an overload.
type Param struct {
	Name string
	// Type may hold generics (types.GenericOf), a DECIMAL of precision 0 (any), a lambda or an interval unit.
	Type        *types.Type
	Description string
	// Literal marks a parameter of an aggregate that must be a literal constant.
	Literal bool
	// Repeated marks the parameter that takes zero or more arguments; at most one of an overload. It is the last one but
	// for a few aggregates (TOPK).
	Repeated bool
}

// Env is what a function may ask of the world. The core is deterministic, so the host hands these in.
type Env struct {
	// NowMs is the wall clock in milliseconds since 1970.
	NowMs func() int64
	// Random gives 64 random bits.
	Random func() uint64
	// Properties in force for the query (ksql.functions.* among them).
	Properties map[string]string
	// Zone is the server's time zone, the default of a few deprecated functions; nil means UTC.
	Zone *time.Location
	// Sequence gives numbers that only grow in the order in which a task processes its rows, also across restarts.
	// LATEST_BY_OFFSET and EARLIEST_BY_OFFSET use them to merge sessions. May be nil: then each aggregator counts by
	// itself, continuing after the largest number it meets in state.
	Sequence func() int64
}

// Constructor makes the instance of a scalar function's overload: see [Scalar].
type Constructor = func(env *Env, args []*types.Type, result *types.Type) (Call, error)

// Call runs a scalar function. args are valid during the call only and belong to the caller; a result that holds bytes
// may point into args or into memory the instance owns and overwrites at its next call. An error nulls the output
// column (the caller's business).
type Call func(args []types.Slot) (types.Slot, error)

// Lambda is what a lambda parameter receives in Slot.R: it may be called any number of times during the call.
type Lambda func(args ...types.Slot) (types.Slot, error)

// Scalar is one overload of a scalar function.
type Scalar struct {
	Description string
	Params      []Param
	// Variadic is set when one of Params is Repeated.
	Variadic bool
	// Returns is the result type; nil when ResultType computes it. It may name the generics of Params.
	Returns *types.Type
	// ResultType computes the result type of DECIMALs and the like from the actual argument types (after coercion).
	ResultType func(args []*types.Type) (*types.Type, error)
	// New makes the instance that one use in one query calls, single-threaded. args are the argument types after
	// coercion, result is the resolved result type. It may keep scratch buffers and caches, no row state.
	New Constructor
	// Nondeterministic marks functions whose result is not a function of the arguments (RANDOM, UUID, UNIX_TIMESTAMP):
	// never folded into constants.
	Nondeterministic bool
}

// Aggregate is one overload of an aggregate function.
type Aggregate struct {
	Description string
	Params      []Param
	Variadic    bool
	Returns     *types.Type
	ResultType  func(args []*types.Type) (*types.Type, error)
	// State gives the types of the state's slots, which are stored between rows in this order.
	State func(args []*types.Type) ([]*types.Type, error)
	// ComplexState says that ksqlDB keeps this state as an ARRAY, MAP or STRUCT, which DELIMITED cannot store: statements
	// with such a value format are refused.
	ComplexState bool
	// New makes the instance of one use in one query. literals holds the boxed values of literal parameters by argument
	// index (nil elsewhere). The args that [Aggregator.Add] gets line up with the call's arguments; the slots of literal
	// parameters are not looked at.
	New func(env *Env, args []*types.Type, literals []any) (Aggregator, error)
	// Undoable says that the aggregate may run on a table ([Aggregator.Undo] works).
	Undoable bool
}

// Aggregator folds rows into state. The state belongs to the caller: slots as declared by Aggregate.State. A []byte kept
// in the state must be copied from args (see [Keep]). Boxed references in the state are immutable: replace, never change.
type Aggregator interface {
	// Init sets the state of a group no row has reached.
	Init(state []types.Slot)
	// Add folds one row in.
	Add(state, args []types.Slot) error
	// Undo takes one row out again (table aggregation); only called when the overload is Undoable.
	Undo(state, args []types.Slot) error
	// Merge folds src into dst: two session windows become one, dst being the earlier.
	Merge(dst, src []types.Slot) error
	// Result computes the output from the state without changing it.
	Result(state []types.Slot) (types.Slot, error)
}

// Keep copies the byte string of an argument so that it may be held in state.
func Keep(s types.Slot) types.Slot {
	if s.B != nil {
		s.B = append(make([]byte, 0, len(s.B)), s.B...)
	}
	return s
}

// Table is one overload of a table function.
type Table struct {
	Description string
	Params      []Param
	Variadic    bool
	Returns     *types.Type
	ResultType  func(args []*types.Type) (*types.Type, error)
	New         TableConstructor
}

// TableConstructor makes the instance of one use in one query. It appends the output rows' values to dst, which stay
// valid until the next call.
type TableConstructor = func(env *Env, args []*types.Type, result *types.Type) (func(dst []types.Slot, args []types.Slot) ([]types.Slot, error), error)

// Example is shown in the docs and runs as a test.
type Example struct {
	// SQL is a call over literals, such as SUBSTRING('stream', 2, 3); of an aggregate a call over columns, such as SUM(x).
	SQL string
	// Rows are an aggregate's input: each one the literals of the columns in order of their appearance in SQL.
	Rows []string
	// Want is the result printed as TO_JSON_STRING would (strings quoted); "error: text" for an error containing text.
	Want string
}

// Registry finds functions by name. Immutable once built.
type Registry struct {
	byName map[string]*Spec
	specs  []*Spec
}

// NewRegistry makes a registry of the given specs; a later spec of the same name replaces an earlier one (user
// functions in tests).
func NewRegistry(lists ...[]*Spec) *Registry {
	r := &Registry{byName: map[string]*Spec{}}
	for _, l := range lists {
		for _, s := range l {
			if old := r.byName[s.Name]; old == nil {
				r.specs = append(r.specs, s)
			} else {
				for i := range r.specs {
					if r.specs[i] == old {
						r.specs[i] = s
					}
				}
			}
			r.byName[s.Name] = s
		}
	}
	return r
}

// Lookup finds a function by its upper-case name.
func (r *Registry) Lookup(name string) (*Spec, bool) {
	s, ok := r.byName[name]
	return s, ok
}

// Specs lists all functions in order of registration. The slice must not be changed.
func (r *Registry) Specs() []*Spec { return r.specs }
