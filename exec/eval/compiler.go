package eval

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// Mode tells the two evaluators of ksqlDB apart, which differ in what null operands do.
type Mode uint8

const (
	// Compiled is the mode of persistent and push queries: a null operand of arithmetic is an error, and 'a' + null is
	// 'anull'.
	Compiled Mode = iota
	// Interpreted is the mode of pull queries: a null operand makes the result null, quietly.
	Interpreted
)

// The properties that evaluation depends on.
const (
	propNestedErrors  = "ksql.nested.error.set.null"
	propPreserveNulls = "ksql.cast.strings.preserve.nulls"
)

// Compiler compiles the expressions of one query. The evaluators it makes are independent of each other.
type Compiler struct {
	Functions *functions.Registry
	// Env is handed to functions; its Properties are looked at too. May be nil where no function needs it.
	Env  *functions.Env
	Mode Mode
}

// Evaluate computes an expression that reads no column, such as a value of INSERT INTO … VALUES. Nothing is guarded: any
// error is returned.
func (c *Compiler) Evaluate(e expr.Expr) (types.Slot, error) {
	u := c.unit(&types.Layout{})
	u.guards = false
	f, err := u.slot(e)
	if err != nil {
		return types.NullSlot, err
	}
	s := f(&types.Row{})
	if err := u.m.take(); err != nil {
		return types.NullSlot, err
	}
	return s, nil
}

func (c *Compiler) property(name string) string {
	if c.Env == nil {
		return ""
	}
	return c.Env.Properties[name]
}

// unit is the compilation of expressions that share one machine.
type unit struct {
	*Compiler
	in     *types.Layout
	m      *machine
	guards bool
	// folding is set while a constant is computed, where nothing is left to fold.
	folding bool
	// castNull is the text that CAST(null AS STRING) gives, or nil for null.
	castNull []byte
	// vars are the cells of the lambda parameters in scope, by their IDs. Operands that are computed once and used
	// several times have cells of negative IDs.
	vars map[int]*types.Slot
}

func (c *Compiler) unit(in *types.Layout) *unit {
	u := &unit{Compiler: c, in: in, m: &machine{}, vars: map[int]*types.Slot{}}
	u.guards = c.property(propNestedErrors) != "false"
	if c.property(propPreserveNulls) == "false" {
		u.castNull = []byte("null")
	}
	if c.Mode == Compiled {
		u.m.nullOperandErr = errNullOperand
	}
	return u
}

// machine is what the closures of one unit share while they run.
type machine struct {
	// err is the first error since the output column was begun. Closures that run on after it produce garbage that
	// nobody looks at.
	err error
	// report receives the errors of guarded places.
	report func(error)
	// row is the row in hand, for the bodies of lambdas.
	row *types.Row
	// nullOperandErr is what a null operand of arithmetic causes; nil in interpreted mode.
	nullOperandErr error
}

var (
	errNullOperand   = errors.New("an operand of the arithmetic is null")
	errNullCondition = errors.New("an operand of AND, OR or NOT is null")
	errNullLike      = errors.New("an operand of LIKE is null")
	errNullIndex     = errors.New("the index of an array is null")
)

// fail notes an error; the first one counts.
func (m *machine) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// take returns the error and clears it.
func (m *machine) take() error {
	err := m.err
	m.err = nil
	return err
}

// nullOperand is called for a null operand of arithmetic; the result is null.
func (m *machine) nullOperand() bool {
	if m.nullOperandErr != nil {
		m.fail(m.nullOperandErr)
	}
	return true
}

// reportGuarded reports and forgets the error of a guarded place.
func (m *machine) reportGuarded(what string) {
	if err := m.take(); m.report != nil {
		m.report(fmt.Errorf("Error processing %s: %w", what, err))
	}
}
