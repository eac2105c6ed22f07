package config

import "errors"

// maxPolicyFile bounds what is read of a session policy, of which STS takes 2048 characters.
const maxPolicyFile = 16 << 10

// Policy reads a session policy for --policy; an empty flag is none. Streams are for keys and
// certificates. The error is a *FlagError.
func Policy(flag string) (string, error) {
	in, err := ParseInput(flag)
	switch {
	case err != nil:
	case in.IsZero():
		return "", nil
	case in.onlyOnce():
		err = errors.New("needs a file: " + in.Name() + " is for keys and certificates")
	default:
		var data []byte
		if data, err = in.read(nil, maxPolicyFile); err == nil {
			return string(data), nil
		}
	}
	return "", &FlagError{Flag: "policy", Err: err}
}
