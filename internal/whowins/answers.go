package whowins

// Answer is what one tool uses.
type Answer struct {
	Tool       string `json:"tool"`
	Winner     string `json:"winner"`          // what the source is, in words
	Where      string `json:"where,omitempty"` // a variable, a section of a file, or a URL
	Ours       bool   `json:"kedge"`           // the credentials come from kedge
	Why        string `json:"why"`             // it is used, and what of kedge is not
	Fix        string `json:"fix,omitempty"`   // lines for a POSIX shell after which Ours is true; empty: it is, or none is known
	Documented bool   `json:"documented"`      // the answer is from sources and documentation, and no test compares it

	Source *Source `json:"-"`
}

// tool is a tool with its rule.
type tool struct {
	name       string
	rule       func(*Situation) *Source
	documented bool
	profiles   []string // variables that name the profile, in their order
	prefixed   bool     // of a config file it reads "[profile default]", and not "[default]"
}

// ask returns what the tool uses.
func (t tool) ask(s *Situation) *Source {
	if source := t.rule(s); source != nil {
		return source
	}
	return of(Nothing)
}

// tools lists all.
func tools() []tool {
	both := []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}
	older := []string{"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}
	one := []string{"AWS_PROFILE"}
	return []tool{
		{name: "AWS CLI 1", rule: asBotocore, profiles: older},
		{name: "AWS CLI 2", rule: asCLI2, profiles: both},
		{name: "boto3", rule: asBotocore, profiles: older},
		{name: "AWS SDK for Go v2", rule: asGo, profiles: both},
		{name: "AWS SDK for JavaScript v3", rule: asJavaScript, profiles: one},
		{name: "AWS SDK for Java 2", rule: asJava, profiles: one, documented: true},
		{name: "AWS SDK for .NET 4", rule: asDotNet4, profiles: one, documented: true},
		{name: "AWS SDK for .NET 3", rule: asDotNet3, profiles: one, documented: true},
		{name: "AWS SDK for Rust", rule: asRust, profiles: one, documented: true},
		{name: "AWS SDK for PHP", rule: asPHP, profiles: one, documented: true, prefixed: true},
		{name: "AWS SDK for Ruby", rule: asRuby, profiles: both, documented: true},
	}
}

// Answers returns what each tool uses, in a fixed order.
func (s *Situation) Answers() []Answer {
	var answers []Answer
	for _, t := range tools() {
		source := t.ask(s)
		a := Answer{Tool: t.name, Winner: source.What(), Where: source.Where(), Ours: source.ours, Documented: t.documented, Source: source}
		a.Why = s.why(t, source)
		if !a.Ours {
			a.Fix = s.fix(t)
		}
		answers = append(answers, a)
	}
	return answers
}
