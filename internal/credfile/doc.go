// Package credfile changes settings of one profile in ~/.aws/credentials or ~/.aws/config, and
// leaves every other byte of the file as it is: comments, order, line endings, unknown settings.
//
// It promises that no reader sees a part of a file, that concurrent updates through this package
// are not lost, and that nothing is lost when a write fails. botocore, the Go and the JavaScript
// SDK read the values that it wrote; if one of them would not, it writes nothing and names the
// line. It does not know where credentials come from.
//
// # How the SDKs read these files
//
// They differ, and that decides how a profile is written:
//
//   - A duplicate section, or a duplicate key in it: botocore refuses the whole file, the
//     others use the last of each key. All sections of the profile get the new values. A second
//     line of a key that is written is removed; other duplicates stay, and are reported
//     (Profile.Problem).
//   - "[ default ]": the Go SDK trims the name, botocore and JavaScript do not. It gets the new
//     values, and a section "[default]" besides.
//   - An indented line: botocore compares the indentation, the Go SDK reads it as a key of its own
//     unless the key before has no value. If they read a relevant line differently, nothing is
//     written.
//   - " # text" after a value: part of the value for botocore, a comment for the others. It moves to
//     a line of its own.
//   - "KEY = value", "key: value": keys in capitals and colons are not read by JavaScript. The
//     lines that are written are "key = value".
//   - What is not UTF-8: botocore refuses the whole file. A byte order mark: botocore takes it for a part of
//     the first line, which is no header then. Such a file is not written (EncodingError).
//   - aws_security_token: botocore prefers it to aws_session_token.
//
// Sources: Lib/configparser.py and botocore/configloader.py; config/internal/ini of
// aws-sdk-go-v2; shared-ini-file-loader/parseIni.js of @smithy/core.
package credfile
