package planner

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// AlterSource plans ALTER STREAM and ALTER TABLE … ADD COLUMN: the source as it is then.
func AlterSource(env *Env, st *ast.AlterSource) (*catalog.Source, error) {
	kind := kindOf(st.Kind)
	old, ok := env.Catalog.Source(st.Name.Name)
	switch {
	case !ok:
		return nil, diag.Errorf(diag.UnknownSource, st.Name.Span(), "Source %s does not exist.", st.Name.Name)
	case old.Kind != kind:
		return nil, diag.Errorf(diag.InvalidSource, st.Name.Span(), "Incompatible data source type is %s, but statement was ALTER %s", old.Kind, kind)
	case old.ReadOnly:
		return nil, diag.Errorf(diag.InvalidSource, st.Name.Span(), "Cannot alter %s '%s': ALTER operations are not supported on source %ss.", kindNoun(kind), old.Name, kindNoun(kind))
	case old.CreatedBy != "":
		return nil, diag.Errorf(diag.InvalidSource, st.Name.Span(), "ALTER command is not supported for CREATE ... AS statements.").
			WithHint("CREATE OR REPLACE %s %s … AS SELECT can add columns at the end.", kind, old.Name)
	}
	added, err := env.columns(st.Add, kind)
	if err != nil {
		return nil, err
	}
	src := *old
	src.Schema.Value = append(old.Schema.Value[:len(old.Schema.Value):len(old.Schema.Value)], added.Value...)
	if len(added.Headers) > 0 {
		return nil, diag.Errorf(diag.NotSupported, st.Span(), "ALTER cannot add columns that show headers.").
			WithHint("CREATE OR REPLACE %s %s can.", kind, old.Name)
	}
	for i, c := range added.Value {
		if _, _, taken := old.Schema.Find(c.Name); taken {
			return nil, diag.Errorf(diag.Duplicate, st.Add[i].Span(), "Cannot add column `%s` to schema. A column with the same name already exists.", c.Name)
		}
	}
	f, err := env.format(old.ValueFormat.Name, st.Span())
	if err != nil {
		return nil, err
	}
	// A schema that was written before does not have the new columns.
	src.ValueFormat = internalFormat(old.ValueFormat)
	s := side{topic: src.Topic, columns: src.Schema.Value, at: st.Span()}
	if err := f.Check(s.spec(old.ValueFormat)); err != nil {
		return nil, &diag.Error{Code: diag.InvalidSource, Span: st.Span(), Message: err.Error(), Cause: err}
	}
	if old.ValueFormat.Unwrapped {
		return nil, diag.Errorf(diag.InvalidSource, st.Span(), "The value of %s is a single column that is not wrapped: there is no place for another one.", old.Name)
	}
	src.SQL, err = withColumns(old.SQL, st.Add)
	return &src, err
}

// withColumns is a CREATE statement with more columns.
func withColumns(sql string, add []ast.Column) (string, error) {
	parsed, err := grammar.ParseOne(sql, grammar.Options{OptionalSemicolon: true})
	if err != nil {
		return "", err
	}
	create, ok := parsed.Statement.(*ast.CreateSource)
	if !ok {
		return "", diag.Errorf(diag.InvalidSource, diag.Span{}, "What made the source is no CREATE statement: %s", sql)
	}
	create.Columns = append(create.Columns, add...)
	return statementText(create), nil
}
