package whowins

// Tools returns the names of the tools, in the order of Answers.
func Tools() []string {
	var names []string
	for _, t := range tools() {
		names = append(names, t.name)
	}
	return names
}
