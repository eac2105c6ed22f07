package config

// Existing returns a password that protects something already: on the terminal it is asked
// once, and it may be empty. what is what it protects.
func (p Password) Existing(h Host, what string) ([]byte, error) { return p.from.reader(h, what)() }
