package types

// castBoxed converts boxed values; nil stays nil.
type castBoxed func(any) (any, error)

func newBoxedCast(from, to *Type) (castBoxed, error) {
	f, err := castNonNull(from, to)
	if err != nil {
		return nil, err
	}
	return func(v any) (any, error) {
		if v == nil {
			return nil, nil
		}
		s, err := f(Unbox(from, v))
		if err != nil {
			return nil, err
		}
		return s.Boxed(to), nil
	}, nil
}

// castCollection converts ARRAY, MAP and STRUCT element by element; struct fields go by name and missing ones are null.
func castCollection(from, to *Type) (Caster, error) {
	switch to.Kind {
	case Array:
		return castArray(from, to)
	case Map:
		return castMap(from, to)
	}
	return castStruct(from, to)
}

func castArray(from, to *Type) (Caster, error) {
	elem, err := newBoxedCast(from.Elem, to.Elem)
	if err != nil {
		return nil, err
	}
	return func(s Slot) (Slot, error) {
		src := s.R.([]any)
		out := make([]any, len(src))
		for i, v := range src {
			var err error
			if out[i], err = elem(v); err != nil {
				return NullSlot, err
			}
		}
		return RefSlot(out), nil
	}, nil
}

func castMap(from, to *Type) (Caster, error) {
	key, err := newBoxedCast(from.Key, to.Key)
	if err != nil {
		return nil, err
	}
	elem, err := newBoxedCast(from.Elem, to.Elem)
	if err != nil {
		return nil, err
	}
	return func(s Slot) (Slot, error) {
		src := s.R.(*MapValue)
		out := &MapValue{}
		for i := range src.Keys {
			k, err := key(src.Keys[i])
			if err != nil {
				return NullSlot, err
			}
			v, err := elem(src.Values[i])
			if err != nil {
				return NullSlot, err
			}
			out.Put(k, v)
		}
		return RefSlot(out), nil
	}, nil
}

func castStruct(from, to *Type) (Caster, error) {
	casts := make([]castBoxed, len(to.Fields))
	source := make([]int, len(to.Fields))
	for i, f := range to.Fields {
		source[i] = from.FieldIndex(f.Name)
		if source[i] < 0 {
			continue
		}
		var err error
		if casts[i], err = newBoxedCast(from.Fields[source[i]].Type, f.Type); err != nil {
			return nil, err
		}
	}
	return func(s Slot) (Slot, error) {
		src := s.R.(StructValue)
		out := make(StructValue, len(casts))
		for i, c := range casts {
			if c == nil {
				continue
			}
			var err error
			if out[i], err = c(src[source[i]]); err != nil {
				return NullSlot, err
			}
		}
		return RefSlot(out), nil
	}, nil
}
