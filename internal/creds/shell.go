package creds

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Environment returns c as the environment variables that SDKs read first. The first four are those
// of `aws configure export-credentials`. AWS_ACCOUNT_ID is set if the account is known: if the
// variable were left at another account, SDKs would call that account's endpoints. What [Process]
// refuses is refused.
func Environment(c aws.Credentials) ([]Variable, error) {
	if err := complete(c); err != nil {
		return nil, err
	}
	vars := []Variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_SESSION_TOKEN", c.SessionToken},
		{"AWS_CREDENTIAL_EXPIRATION", c.Expires.UTC().Format(time.RFC3339)},
	}
	if c.AccountID != "" {
		vars = append(vars, Variable{"AWS_ACCOUNT_ID", c.AccountID})
	}
	return vars, nil
}

// Region returns the variables for a region, if there is one: SDKs differ in which of the two they read.
func Region(region string) []Variable {
	if region == "" {
		return nil
	}
	return []Variable{{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region}}
}

// Shell returns the commands, a line each, by which a shell sets the variables. The forms are
// named as those of `aws configure export-credentials`, and plain values look as they do there;
// any other value is quoted:
//
//	env            export NAME=VALUE      sh, bash, zsh, ksh
//	env-no-export  NAME=VALUE             the same
//	fish           set -gx NAME "VALUE"
//	powershell     $Env:NAME="VALUE"
//	windows-cmd    set NAME=VALUE
//
// An error means that the form is none of these, or cannot hold the value of a variable; it does
// not show the value.
func Shell(form string, vars []Variable) ([]byte, error) {
	var line func(Variable) (string, error)
	switch form {
	case "env":
		line = func(v Variable) (string, error) { return "export " + v.Name + "=" + posixQuote(v.Value), nil }
	case "env-no-export":
		line = func(v Variable) (string, error) { return v.Name + "=" + posixQuote(v.Value), nil }
	case "fish":
		line = func(v Variable) (string, error) {
			return "set -gx " + v.Name + ` "` + escape(v.Value, '\\', "\\\"$") + `"`, nil
		}
	case "powershell":
		line = func(v Variable) (string, error) {
			return "$Env:" + v.Name + `="` + escape(v.Value, '`', "`\"$\u201c\u201d\u201e") + `"`, nil
		}
	case "windows-cmd":
		line = cmdLine
	default:
		return nil, fmt.Errorf("%q is not a form that a shell reads", form)
	}
	var b bytes.Buffer
	for _, v := range vars {
		if strings.ContainsRune(v.Value, 0) {
			return nil, fmt.Errorf("the value of %s has a NUL byte: no environment can hold it", v.Name)
		}
		text, err := line(v)
		if err != nil {
			return nil, fmt.Errorf("the value of %s: %w", v.Name, err)
		}
		b.WriteString(text)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// plain reports whether every shell takes the value literally, without quotes.
func plain(value string) bool {
	return value != "" && strings.IndexFunc(value, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+/=_.:@-", r)
	}) < 0
}

// posixQuote quotes for POSIX shells: between single quotes only the single quote is special.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
func posixQuote(value string) string {
	if plain(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// escape puts mark before each of the special characters: those that are special between the double
// quotes of fish, and of PowerShell, where typographic quotes count, too.
// https://fishshell.com/docs/current/language.html#quotes
// https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
func escape(value string, mark rune, special string) string {
	var b strings.Builder
	for _, r := range value {
		if strings.ContainsRune(special, r) {
			b.WriteRune(mark)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// cmdLine writes a command of cmd.exe. Quotes around the whole assignment protect &, |, <, > and ^;
// a percent sign is expanded even there, and differently at the prompt than in a batch file.
func cmdLine(v Variable) (string, error) {
	if plain(v.Value) {
		return "set " + v.Name + "=" + v.Value, nil
	}
	if strings.ContainsAny(v.Value, `%!"`) || strings.ContainsFunc(v.Value, unicode.IsControl) {
		return "", errors.New("cmd.exe cannot be given percent signs, exclamation marks, quotes and line breaks")
	}
	return `set "` + v.Name + "=" + v.Value + `"`, nil
}
