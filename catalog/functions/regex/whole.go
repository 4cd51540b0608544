package regex

// Whole compiles a pattern and returns a function that says whether it matches the whole of a text, as Java's matches does.
// The function is for one goroutine; its error is a search that takes too long.
func Whole(pattern string) (func(text string) (bool, error), error) {
	p, err := compileBetween(`\A(?:`, pattern, `)\z`)
	if err != nil {
		return nil, err
	}
	return func(text string) (bool, error) {
		match, err := p.find(text)
		return match != nil, err
	}, nil
}
