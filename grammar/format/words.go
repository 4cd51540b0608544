package format

import (
	"reflect"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
)

// words knows what the words of a text are, by their offsets in it.
type words struct {
	names     map[int]bool // words that are names, even if they are keywords elsewhere
	functions map[int]bool // names of functions
	types     map[int]int  // types: start to end
}

// wordsOf collects the words of parsed statements.
func wordsOf(stmts []grammar.Stmt) *words {
	w := &words{names: map[int]bool{}, functions: map[int]bool{}, types: map[int]int{}}
	for _, s := range stmts {
		w.collect(reflect.ValueOf(s.Statement))
	}
	return w
}

var (
	identType    = reflect.TypeFor[ast.Ident]()
	propertyType = reflect.TypeFor[ast.Property]()
	callType     = reflect.TypeFor[ast.Call]()
	typeNameType = reflect.TypeFor[ast.TypeName]()
)

func (w *words) collect(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return
		}
		if v.Kind() == reflect.Pointer && v.Type().Implements(typeNameType) {
			span := v.Interface().(ast.TypeName).Span()
			w.types[span.Start.Offset] = max(w.types[span.Start.Offset], span.End.Offset)
		}
		w.collect(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			w.collect(v.Index(i))
		}
	case reflect.Struct:
		switch v.Type() {
		case identType:
			w.names[v.Interface().(ast.Ident).At.Start.Offset] = true
			return
		case propertyType:
			w.names[v.Interface().(ast.Property).At.Start.Offset] = true
		case callType:
			w.functions[v.Interface().(ast.Call).Name.At.Start.Offset] = true
		}
		for i := range v.NumField() {
			w.collect(v.Field(i))
		}
	default:
	}
}
