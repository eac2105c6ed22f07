package awsup

// AnswerError reports an answer without what it must have: it may be of a proxy, and not of AWS.
type AnswerError struct{ Operation string }

func (e *AnswerError) Error() string { return "the answer to " + e.Operation + " is empty" }
