package task

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// tree is the operators of a stage.
type tree struct {
	ctx     *operator.Context
	readers []operator.Reader
	// flushers in the order in which records pass them.
	flushers []flusher
	aborters []aborter
	// enders act when an input record has been processed.
	enders []ender
}

// ender is an operator that passes something on when an input record has been processed.
type ender interface{ EndRecord() error }

// flusher is an operator that holds output back until the end of the interval.
type flusher interface{ Flush() error }

// aborter is an operator that keeps something of the open interval, or about its stores, in memory.
type aborter interface{ Abort() }

// build makes the operators of a stage, from the root down to its sources.
func build(ctx *operator.Context, stage *physical.Stage) (*tree, error) {
	b := &tree{ctx: ctx}
	if err := b.root(stage.Root); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *tree) root(n physical.Node) error {
	switch n := n.(type) {
	case *physical.Sink:
		op, err := operator.NewSink(b.ctx, n)
		if err != nil {
			return err
		}
		return b.node(n.In, demand{}, op)
	case *physical.Repartition:
		op, err := operator.NewRepartition(b.ctx, n)
		if err != nil {
			return err
		}
		return b.node(n.In, demand{old: n.Changes}, op)
	case *physical.ForeignKeyAnswer:
		op, err := operator.NewForeignKeyAnswer(b.ctx, n)
		if err != nil {
			return err
		}
		b.readers = append(b.readers, op.Subscriptions())
		return b.node(n.R, demand{}, op)
	case *physical.Materialize:
		op, err := operator.NewMaterialize(b.ctx, n, false, nil)
		if err != nil {
			return err
		}
		return b.node(n.In, demand{}, op)
	case *physical.Emit:
		if b.ctx.Output == nil {
			return fmt.Errorf("%s: the plan describes no output", n.Name)
		}
		return b.node(n.In, demand{}, operator.NewEmit(b.ctx, n))
	default:
		return fmt.Errorf("%T cannot be the root of a stage", n)
	}
}

// demand says what the operators above want of a table's changes.
type demand struct {
	// old: the rows that were there before.
	old bool
	// now: every update, so that aggregations must not hold any back.
	now bool
}

// node builds the operator of n, which passes its records to next, and everything below.
func (b *tree) node(n physical.Node, want demand, next operator.Operator) error {
	switch n := n.(type) {
	case *physical.Source:
		op, err := operator.NewSource(b.ctx, n, want.old, next)
		if err == nil {
			b.readers = append(b.readers, op)
		}
		return err
	case *physical.Filter:
		return b.filter(n, want, next)
	case *physical.Project:
		op, err := operator.NewProject(b.ctx, n, want.old, next)
		if err != nil {
			return err
		}
		return b.node(n.In, want, op)
	case *physical.FlatMap:
		op, err := operator.NewFlatMap(b.ctx, n, next)
		if err != nil {
			return err
		}
		return b.node(n.In, demand{}, op)
	case *physical.Materialize:
		op, err := operator.NewMaterialize(b.ctx, n, want.old, next)
		if err != nil {
			return err
		}
		return b.node(n.In, demand{}, op)
	case *physical.Aggregate:
		return b.aggregate(n, want, next)
	case *physical.Suppress:
		op, err := operator.NewSuppress(b.ctx, n, next)
		if err != nil {
			return err
		}
		b.aborters = append(b.aborters, op)
		b.enders = append(b.enders, op)
		return b.node(n.In, demand{now: true}, op)
	case *physical.StreamTableJoin:
		op, err := operator.NewStreamTableJoin(b.ctx, n, next)
		if err != nil {
			return err
		}
		return b.both(n.L, op, n.R, op.Table())
	case *physical.StreamStreamJoin:
		op, err := operator.NewStreamStreamJoin(b.ctx, n, next)
		if err != nil {
			return err
		}
		b.aborters = append(b.aborters, op)
		return b.both(n.L, op.Left(), n.R, op.Right())
	case *physical.TableTableJoin:
		op, err := operator.NewTableTableJoin(b.ctx, n, want.old, next)
		if err != nil {
			return err
		}
		return b.both(n.L, op.Left(), n.R, op.Right())
	case *physical.ForeignKeyJoin:
		if want.old {
			return fmt.Errorf("%s: the old results of a foreign-key join are not known without a store of them", n.Name)
		}
		op, err := operator.NewForeignKeyJoin(b.ctx, n, next)
		if err != nil {
			return err
		}
		b.readers = append(b.readers, op.Answers())
		return b.node(n.L, demand{}, op)
	case *physical.Sink, *physical.Repartition, *physical.ForeignKeyAnswer, *physical.Emit:
		return fmt.Errorf("%T cannot run inside a stage", n)
	}
	return fmt.Errorf("%T is not executed", n)
}

func (b *tree) both(l physical.Node, left operator.Operator, r physical.Node, right operator.Operator) error {
	if err := b.node(l, demand{}, left); err != nil {
		return err
	}
	return b.node(r, demand{}, right)
}

func (b *tree) filter(n *physical.Filter, want demand, next operator.Operator) error {
	if !n.Out().Table {
		op, err := operator.NewStreamFilter(b.ctx, n, next)
		if err != nil {
			return err
		}
		return b.node(n.In, want, op)
	}
	tracked := b.tracksOld(n.In)
	op, err := operator.NewTableFilter(b.ctx, n, tracked, next)
	if err != nil {
		return err
	}
	return b.node(n.In, demand{old: tracked, now: want.now}, op)
}

// tracksOld says whether a node of a table can tell the old row of each change. A Suppress passes each window on once, so
// there is never an old row.
func (b *tree) tracksOld(n physical.Node) bool {
	switch n := n.(type) {
	case *physical.Source:
		return n.Store != "" || b.ctx.Stage.Inputs[n.Input].Changes
	case *physical.Filter:
		return b.tracksOld(n.In)
	case *physical.Project:
		return b.tracksOld(n.In)
	case *physical.Aggregate, *physical.Materialize, *physical.TableTableJoin, *physical.Suppress:
		return true
	default:
		return false
	}
}

func (b *tree) aggregate(n *physical.Aggregate, want demand, next operator.Operator) error {
	var (
		op  operator.Operator
		err error
	)
	switch {
	case n.Window == nil:
		op, err = operator.NewKeyedAggregate(b.ctx, n, want.old, want.now, next)
	case n.Window.Type == types.Session:
		op, err = operator.NewSessionAggregate(b.ctx, n, want.old, next)
	default:
		op, err = operator.NewWindowedAggregate(b.ctx, n, want.old, want.now, next)
	}
	if err != nil {
		return err
	}
	if err := b.node(n.In, demand{old: n.Table}, op); err != nil {
		return err
	}
	// Below comes first: what it passes on at flush is to be in here before this one flushes.
	if f, ok := op.(flusher); ok {
		b.flushers = append(b.flushers, f)
	}
	if a, ok := op.(aborter); ok {
		b.aborters = append(b.aborters, a)
	}
	return nil
}

func (b *tree) flush() error {
	b.ctx.BeginFlush()
	for _, f := range b.flushers {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (b *tree) abort() {
	for _, a := range b.aborters {
		a.Abort()
	}
	for _, c := range b.ctx.Clocks() {
		c.Reset()
	}
}
