package format

// Format for now gives the text back.
func Format(text string) (string, error) { return text, nil }
