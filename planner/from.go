package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// joined is a part of the FROM clause that has been bound.
type joined struct {
	side logical.JoinSide
	// aliases of its sources.
	aliases []string
	// keys lists what equals its key; empty for a key of several columns or none.
	keys   []joinKey
	window types.WindowType
	join   bool
}

// from binds the FROM clause.
func (a *analyzer) from() error {
	if s, ok := a.sel.From.(*ast.Source); ok {
		b, err := a.bindSource(s, "KsqlTopic")
		if err != nil {
			return err
		}
		a.node = b.scan
		a.keyWord = "key column"
		for _, c := range b.source.Schema.Key {
			a.keyTexts = append(a.keyTexts, c.Name)
		}
		return nil
	}
	a.scope.joined = true
	j, err := a.relation(a.sel.From, 0, true)
	if err != nil {
		return err
	}
	if a.joinError != nil {
		return a.joinError
	}
	a.node = j.side.Node
	for i := range a.scope.columns {
		for k := range a.scope.columns[:i] {
			if c, o := &a.scope.columns[i], &a.scope.columns[k]; c.name == o.name && c.source != o.source {
				a.clashing[c.name] = true
			}
		}
	}
	join, ok := j.side.Node.(*logical.Join)
	if !ok {
		a.keyWord = foreignKeyWord
		return nil
	}
	a.same = join.Same
	a.keyWord = "join expression"
	for _, k := range j.keys {
		if k.column != 0 {
			a.keyTexts = append(a.keyTexts, k.text)
		}
	}
	if a.synthetic != "" {
		a.scope.columns = append([]column{{id: join.KeyColumn.ID, name: a.synthetic, label: a.synthetic, typ: join.KeyColumn.Type, key: true}}, a.scope.columns...)
	}
	return nil
}

// relation binds a source or a chain of joins. depth counts from the top.
func (a *analyzer) relation(r ast.Relation, depth int, left bool) (*joined, error) {
	prefix := strings.Repeat("L_", max(0, depth-1))
	switch r := r.(type) {
	case *ast.Source:
		step := prefix + "KafkaTopic_Right"
		if left {
			step = prefix + "KafkaTopic_Left"
		}
		b, err := a.bindSource(r, step)
		if err != nil {
			return nil, err
		}
		j := &joined{aliases: []string{b.alias}, window: b.source.Window}
		j.side = logical.JoinSide{
			Node: b.scan, Name: b.source.Name, Partitions: b.source.Partitions,
			KeyFormat: inheritedKeyFormat(b.source), ValueFormat: b.source.ValueFormat,
		}
		if key := b.scan.Key(); len(key) == 1 {
			c := b.source.Schema.Key[0]
			j.keys = []joinKey{{expr: &expr.Column{Index: key[0], Name: joinedName(b.alias, c.Name), T: c.Type}, column: key[0], text: b.alias + "." + c.Name}}
		}
		return j, nil
	case *ast.Join:
		return a.join(r, depth)
	}
	return nil, diag.Errorf(diag.NotSupported, r.Span(), "Unsupported relation")
}

// join binds one join of a chain.
func (a *analyzer) join(j *ast.Join, depth int) (*joined, error) {
	l, err := a.relation(j.Left, depth+1, true)
	if err != nil {
		return nil, err
	}
	r, err := a.relation(j.Right, depth+1, false)
	if err != nil {
		return nil, err
	}
	if err := a.refuseKafkaValues("JOIN", j.Span()); err != nil {
		return nil, err
	}
	onL, onR, err := a.condition(j, l, r)
	if err != nil {
		return nil, err
	}
	l.side.On, r.side.On = onL.expr, onR.expr
	kind := joinKinds[j.Kind]
	if err := checkJoin(j, kind, l, r, onL, onR); err != nil {
		a.later(err)
	}
	if isForeignKey(l, r, onL, onR) {
		if _, err := within(j, l, r); err != nil {
			a.later(err)
		}
		return a.foreignKeyJoin(kind, depth, l, r), nil
	}
	if l.side.Partitions != r.side.Partitions {
		a.later(diag.Errorf(diag.InvalidQuery, j.Span(), "Can't join `%s` with `%s` since the number of partitions don't match. `%s` partitions = %d; `%s` partitions = %d. "+
			"Please repartition either one so that the number of partitions match.",
			l.side.Name, r.side.Name, l.side.Name, l.side.Partitions, r.side.Name, r.side.Partitions))
	}
	node := &logical.Join{Prefix: strings.Repeat("L_", depth), Kind: kind, L: l.side, R: r.side}
	if node.Within, err = within(j, l, r); err != nil {
		a.later(err)
	}
	out := &joined{aliases: append(slices.Clone(l.aliases), r.aliases...), join: true, window: l.window}
	a.joinKey(node, out, l, r, onL, onR)
	if err := checkMapKeys(side{key: true, columns: []types.Column{{Name: node.KeyColumn.Name, Type: node.KeyColumn.Type}}, at: j.On.Span()}); err != nil {
		return nil, err
	}
	if err := a.chooseRepartition(j, node, l, r); err != nil {
		a.later(err)
	}
	out.side = logical.JoinSide{
		Node: node, Name: l.side.Name, Partitions: l.side.Partitions, KeyFormat: node.KeyFormat, ValueFormat: l.side.ValueFormat,
	}
	return out, nil
}

// later keeps the first error about what is joined until all conditions have been looked at, whose errors come first.
func (a *analyzer) later(err error) {
	if a.joinError == nil {
		a.joinError = err
	}
}

var joinKinds = map[ast.JoinKind]physical.JoinKind{
	ast.InnerJoin: physical.Inner, ast.LeftJoin: physical.Left, ast.RightJoin: physical.Right, ast.FullJoin: physical.Full,
}

// onSide is one side of a join condition.
type onSide struct {
	ast  ast.Expr
	expr expr.Expr
	// column is the ID of a plain column, 0 for an expression.
	column int
	text   string
}

// condition splits the ON clause into its sides.
func (a *analyzer) condition(j *ast.Join, l, r *joined) (left, right onSide, err error) {
	on, err := a.qualify(j.On, "JOIN ON")
	if err != nil {
		return left, right, prepareError(err)
	}
	cmp, ok := on.(*ast.Comparison)
	if !ok {
		return left, right, diag.Errorf(diag.NotSupported, j.On.Span(), "Invalid join condition: joins on multiple conditions are not yet supported. Got %s.", exprText(on))
	}
	if cmp.Op != ast.Equals {
		return left, right, diag.Errorf(diag.NotSupported, j.On.Span(), "Invalid join condition: only equality join criteria is supported. Got %s.", trimParens(exprText(on)))
	}
	sides := []onSide{{ast: cmp.Left}, {ast: cmp.Right}}
	owners := make([]string, 2)
	for i := range sides {
		s := &sides[i]
		if err := a.unresolved(s.ast); err != nil {
			return left, right, err
		}
		names := sourcesOf(s.ast)
		if len(names) != 1 {
			return left, right, diag.Errorf(diag.InvalidQuery, s.ast.Span(), "Invalid comparison expression '%s' in join '%s'. "+
				"Each side of the join comparision must contain references from exactly one source.", exprText(s.ast), exprText(on)) //nolint:misspell // ksqlDB's text
		}
		owners[i] = names[0]
		s.text = exprText(s.ast)
		if s.expr, err = a.binder("JOIN ON").bind(s.ast); err != nil {
			return left, right, err
		}
		if c, ok := s.expr.(*expr.Column); ok {
			s.column = c.Index
		}
	}
	switch inL0, inR0 := slices.Contains(l.aliases, owners[0]), slices.Contains(r.aliases, owners[0]); {
	case owners[0] == owners[1]:
		return left, right, diag.Errorf(diag.InvalidQuery, j.On.Span(), "Each side of the join must reference exactly one source and not the same source. "+
			"Left side references `%s` and right references `%s`", owners[0], owners[1])
	case inL0 && slices.Contains(r.aliases, owners[1]):
		left, right = sides[0], sides[1]
	case inR0 && slices.Contains(l.aliases, owners[1]):
		left, right = sides[1], sides[0]
	default:
		return left, right, diag.Errorf(diag.InvalidQuery, j.On.Span(), "A join criteria is expected to reference the source (`%s`) in the FROM clause, "+
			"instead the right source references `%s` and the left source references `%s`", r.aliases[0], owners[1], owners[0])
	}
	lt, rt := left.expr.Type(), right.expr.Type()
	if !types.Equal(lt, rt) {
		return left, right, diag.Errorf(diag.Type, j.On.Span(), "Invalid join condition: types don't match. Got %s{%s} = %s{%s}.",
			sides[0].text, sides[0].expr.Type(), sides[1].text, sides[1].expr.Type()).
			WithHint("Cast one side: CAST(%s AS %s).", sides[0].text, sides[1].expr.Type())
	}
	return left, right, nil
}

func prepareError(err error) error {
	if d, ok := diag.As(err); ok && d.Code == diag.UnknownSource {
		c := *d
		c.Message = "Failed to prepare statement: " + d.Message
		return &c
	}
	return err
}

// unresolved gives the error of the first column that cannot be resolved.
func (a *analyzer) unresolved(e ast.Expr) (err error) {
	ast.Inspect(e, func(x ast.Expr) bool {
		if ref, ok := x.(*ast.ColumnRef); ok && err == nil {
			_, err = a.scope.resolve(ref, "JOIN ON")
		}
		return err == nil
	})
	return err
}

// sourcesOf lists the sources that a qualified expression names.
func sourcesOf(e ast.Expr) []string {
	var names []string
	ast.Inspect(e, func(x ast.Expr) bool {
		if ref, ok := x.(*ast.ColumnRef); ok && ref.Source != nil && !slices.Contains(names, ref.Source.Name) {
			names = append(names, ref.Source.Name)
		}
		return true
	})
	return names
}

// joinText names a join as messages do: A [INNER] JOIN B.
func joinText(j *ast.Join, l, r *joined) string {
	word := map[ast.JoinKind]string{
		ast.InnerJoin: "[INNER] JOIN", ast.LeftJoin: "LEFT [OUTER] JOIN", ast.RightJoin: "RIGHT [OUTER] JOIN", ast.FullJoin: "[FULL] OUTER JOIN",
	}[j.Kind]
	return fmt.Sprintf("%s %s %s", l.aliases[0], word, r.aliases[0])
}

// checkJoin refuses kinds and conditions that cannot be joined.
func checkJoin(j *ast.Join, kind physical.JoinKind, l, r *joined, onL, onR onSide) error {
	lt, rt := l.side.Node.Table(), r.side.Node.Table()
	got := onL.text + " = " + onR.text
	if !onSides(j, onL) {
		got = onR.text + " = " + onL.text
	}
	switch {
	case lt && !rt:
		return diag.Errorf(diag.NotSupported, j.Span(), "Invalid join order: table-stream joins are not supported; only stream-table joins. Got %s.", joinText(j, l, r)).
			WithHint("Name the stream first.")
	case !lt && rt && kind == physical.Full:
		return diag.Errorf(diag.NotSupported, j.Span(), "Invalid join type: full-outer join not supported for stream-table join. Got %s.", joinText(j, l, r))
	case !lt && rt && kind == physical.Right:
		return diag.Errorf(diag.NotSupported, j.Span(), "Invalid join type: right-outer join not supported for stream-table join. Got %s.", joinText(j, l, r))
	case !lt && rt && !isKey(r, onR):
		return diag.Errorf(diag.InvalidQuery, j.On.Span(), "Invalid join condition: stream-table joins require to join on the table's primary key. Got %s.", got)
	case lt && rt && !isKey(r, onR):
		return diag.Errorf(diag.InvalidQuery, j.On.Span(), "Invalid join condition: table-table joins require to join on the primary key of the right input table. Got %s.", got)
	case isForeignKey(l, r, onL, onR):
		return checkForeignKey(j, kind, l, r, got)
	}
	return checkWindows(l, r, j)
}

// onSides says whether the left side of the join stands left in the condition.
func onSides(j *ast.Join, left onSide) bool {
	cmp, ok := j.On.(*ast.Comparison)
	return !ok || cmp.Left.Span() == left.ast.Span()
}

// isKey says whether a side of a condition is the key of a table.
func isKey(j *joined, on onSide) bool {
	return slices.ContainsFunc(j.keys, func(k joinKey) bool { return k.column != 0 && k.column == on.column })
}

// checkWindows refuses to join sources whose keys carry different kinds of windows.
func checkWindows(l, r *joined, j *ast.Join) error {
	lw, rw := l.window, r.window
	text := func(w types.WindowType) string {
		if w == types.NoWindow {
			return "not"
		}
		return w.String()
	}
	switch {
	case (lw == types.NoWindow) != (rw == types.NoWindow):
		return diag.Errorf(diag.InvalidQuery, j.Span(), "Can not join windowed source to non-windowed source.\n`%s` is %s windowed\n`%s` is %s windowed",
			l.side.Name, text(lw), r.side.Name, text(rw))
	case (lw == types.Session) != (rw == types.Session):
		return diag.Errorf(diag.InvalidQuery, j.Span(), "Incompatible windowed sources.\nLeft source: %s\nRight source: %s\n"+
			"Session windowed sources can only be joined to other session windowed sources, and may still not result in expected behaviour "+
			"as session bounds must be an exact match for the join to work\n"+
			"Hopping and tumbling windowed sources can only be joined to other hopping and tumbling windowed sources", lw, rw)
	}
	return nil
}

// defaultGraceMs is the grace of joins whose WITHIN gives none, and of windows together with their size.
const defaultGraceMs = 24 * 3600 * 1000

func within(j *ast.Join, l, r *joined) (*logical.Within, error) {
	lt, rt := l.side.Node.Table(), r.side.Node.Table()
	switch {
	case lt && j.Within != nil:
		return nil, diag.Errorf(diag.InvalidQuery, j.Within.Span(), "A window definition was provided for a Table-Table join. These joins are not windowed. "+
			"Please drop the window definition (i.e. the WITHIN clause) and try to execute your Table-Table join again.")
	case rt && j.Within != nil:
		return nil, diag.Errorf(diag.InvalidQuery, j.Within.Span(), "A window definition was provided for a Stream-Table join. These joins are not windowed. "+
			"Please drop the window definition (ie. the WITHIN clause) and try to execute your join again.")
	case rt:
		return nil, nil
	case j.Within == nil:
		return nil, diag.Errorf(diag.InvalidQuery, j.Span(), "Stream-Stream joins must have a WITHIN clause specified. None was provided. "+
			"To learn about how to specify a WITHIN clause with a stream-stream join, please visit: "+
			"https://docs.confluent.io/current/ksql/docs/syntax-reference.html#create-stream-as-select").
			WithHint("Say how far apart in time two rows may be: JOIN %s WITHIN 1 HOUR ON ….", r.side.Name)
	}
	w := &logical.Within{GraceMs: defaultGraceMs}
	var err error
	if w.BeforeMs, err = length(j.Within.Before, 0); err != nil {
		return nil, err
	}
	if w.AfterMs, err = length(j.Within.After, 0); err != nil {
		return nil, err
	}
	if j.Within.Grace != nil {
		w.GraceGiven = true
		if w.GraceMs, err = length(*j.Within.Grace, 0); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// length reads an interval of at least least milliseconds.
func length(i ast.Interval, least int64) (int64, error) {
	ms, ok := i.Millis()
	if !ok || ms > 1<<52 {
		return 0, diag.Errorf(diag.InvalidValue, i.Span(), "The interval is too long: %d %s", i.Value, i.Unit)
	}
	if ms < least {
		return 0, diag.Errorf(diag.InvalidValue, i.Span(), "The interval is too short: %d %s", i.Value, i.Unit)
	}
	return ms, nil
}
