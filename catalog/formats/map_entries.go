package formats

import "github.com/ksqlgo/ksqlgo/catalog/types"

// PutEntry adds an entry to a map under decoding, or replaces the value of an equal key. All keys of m must be strings. Small maps are
// searched; big ones get an index of their keys' places, so that a record of many keys does not cost their square: pass nil as places
// at first, and what the call before returned from then on. The map keeps v.
func PutEntry(m *types.MapValue, places map[string]int, key string, v any) map[string]int {
	const small = 16
	if len(m.Keys) < small {
		m.Put(key, v)
		return nil
	}
	if places == nil {
		places = make(map[string]int, 4*small)
		for i, k := range m.Keys {
			text, _ := k.(string)
			places[text] = i
		}
	}
	if i, found := places[key]; found {
		m.Values[i] = v
		return places
	}
	places[key] = len(m.Keys)
	m.Keys, m.Values = append(m.Keys, key), append(m.Values, v)
	return places
}
