// Package pemread turns the bytes of a file with certificates, requests or keys into blocks
// of DER, in whatever coat a program or a person left them:
//
//   - PEM (RFC 7468) with text around it, LF, CRLF or lone CR, indented or joined lines, END
//     and BEGIN on one line, any label, and the headers of RFC 1421;
//   - the same in UTF-8 with a byte order mark, in UTF-16 of either byte order with or
//     without one, in a JSON string with escaped line breaks, or pasted from a web page with
//     non-breaking and zero-width spaces;
//   - base64 without BEGIN and END, of DER or of PEM;
//   - DER, one element or several after one another.
//
// What it cannot read is an [*Error] whose text says what the input is or what is wrong with
// it, in words that a user may see.
//
// It reads the tags of the DER to tell what a block is, and nothing else: what it names
// a certificate may still be malformed. It imports the standard library only and nothing
// that parses certificates or keys, so that ca and signer, which do not import each other,
// both read by it. All of it is safe for concurrent use.
package pemread
