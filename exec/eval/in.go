package eval

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// inList compiles X IN (List): false for a null X, so NOT IN is true then; nulls in the list match nothing. Literals go into
// a hash set, however many there are.
func (u *unit) inList(x *expr.In) (condFn, error) {
	v, prepare, err := u.once(x.X)
	if err != nil {
		return nil, err
	}
	var literals []types.Slot
	var rest []condFn
	for _, e := range x.List {
		if l, ok := u.fold(e).(*expr.Literal); ok {
			if s := literalSlot(l); !s.Null {
				literals = append(literals, s)
			}
			continue
		}
		f, err := u.compare(&expr.Compare{Op: expr.Equal, L: v, R: e})
		if err != nil {
			return nil, err
		}
		rest = append(rest, f)
	}
	member, err := u.member(v, literals)
	if err != nil {
		return nil, err
	}
	m, negated := u.m, x.Negated
	return func(row *types.Row) bool {
		if prepare != nil {
			prepare(row)
		}
		found := member(row)
		for i := 0; !found && i < len(rest) && m.err == nil; i++ {
			found = rest[i](row)
		}
		return found != negated
	}, nil
}

// member tests x against constants.
func (u *unit) member(x expr.Expr, set []types.Slot) (condFn, error) {
	switch t := x.Type(); {
	case t.Kind == types.Double:
		o, err := u.intOperand(x)
		values := make(map[float64]struct{}, len(set))
		for _, s := range set {
			values[s.Double()] = struct{}{}
		}
		return func(row *types.Row) bool {
			v, null := o.get(row)
			_, found := values[double(v)]
			return found && !null
		}, err
	case t.Class() == types.ClassInt64:
		o, err := u.intOperand(x)
		values := make(map[int64]struct{}, len(set))
		for _, s := range set {
			values[s.I] = struct{}{}
		}
		return func(row *types.Row) bool {
			v, null := o.get(row)
			_, found := values[v]
			return found && !null
		}, err
	case t.Class() == types.ClassBytes:
		o, err := u.bytesOperand(x)
		values := make(map[string]struct{}, len(set))
		for _, s := range set {
			values[string(s.B)] = struct{}{}
		}
		return func(row *types.Row) bool {
			v, null := o.get(row)
			_, found := values[string(v)]
			return found && !null
		}, err
	case t.Kind == types.Decimal:
		return u.decimalMember(x, set)
	}
	f, err := u.ref(x)
	return func(row *types.Row) bool {
		v, null := f(row)
		for i := 0; !null && i < len(set); i++ {
			if types.EqualBoxed(v, set[i].R) {
				return true
			}
		}
		return false
	}, err
}

// decimalMember finds decimals by their text without trailing zeros, so that scales do not matter.
func (u *unit) decimalMember(x expr.Expr, set []types.Slot) (condFn, error) {
	var reduced apd.Decimal
	var text []byte
	key := func(v any) []byte {
		reduced.Reduce(v.(*apd.Decimal))
		text = reduced.Append(text[:0], 'G')
		return text
	}
	values := make(map[string]struct{}, len(set))
	for _, s := range set {
		values[string(key(s.R))] = struct{}{}
	}
	f, err := u.ref(x)
	return func(row *types.Row) bool {
		v, null := f(row)
		if null {
			return false
		}
		_, found := values[string(key(v))]
		return found
	}, err
}
