// Package yamlfile reads the YAML of configuration files, for kedge and kedge-ca alike: one document,
// each key once. What is wrong is said in the words of this program, with the line; no text of the YAML
// library is in an error.
package yamlfile
