package ast

import (
	"reflect"
)

// Equal reports whether two trees have the same shape and content, without
// regard to positions and to whether names were written in quotes. Nil is equal to nil only.
func Equal(a, b Node) bool {
	return equalValues(reflect.ValueOf(a), reflect.ValueOf(b))
}

var (
	locatedType = reflect.TypeFor[Located]()
	identType   = reflect.TypeFor[Ident]()
)

func equalValues(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return equalValues(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equalValues(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type() == identType {
			return a.FieldByName("Name").String() == b.FieldByName("Name").String()
		}
		for i := range a.NumField() {
			if a.Type().Field(i).Type == locatedType {
				continue
			}
			if !equalValues(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
