package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// join compiles STRING + STRING. A null operand reads null in compiled mode, as Java joins texts.
func (u *unit) join(x *expr.Arith) (bytesFn, error) {
	if x.Op != expr.Add || x.T.Kind != types.String {
		return nil, fmt.Errorf("eval: no operator %q on %s", x.Op, x.T)
	}
	l, r, err := both(u.bytesOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	quiet := u.Mode == Interpreted
	var buf []byte
	return func(row *types.Row) ([]byte, bool) {
		if deep {
			l.prepare(row)
			r.prepare(row)
		}
		a, an := l.read(row)
		b, bn := r.read(row)
		if quiet && (an || bn) {
			return nil, true
		}
		buf = appendOrNull(buf[:0], a, an)
		buf = appendOrNull(buf, b, bn)
		return buf, false
	}, nil
}

func appendOrNull(dst, v []byte, null bool) []byte {
	if null {
		return append(dst, "null"...)
	}
	return append(dst, v...)
}
