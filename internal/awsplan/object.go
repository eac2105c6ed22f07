package awsplan

import "maps"

// TagsOf returns the tags of a new object, with the one by which it is known.
func (w *Wanted) TagsOf(kind Kind, name string) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, w.Tags)
	tags[TagKey] = w.Owners[0].Tag(kind, name)
	return tags
}

// Description returns the description of the role, as IAM takes it (IAM API Reference, CreateRole, Description: at
// most 1,000 characters of Latin-1).
func (r *Role) Description() string {
	const most = 200
	runes := []rune(r.For)
	for i, c := range runes {
		if c < ' ' || c > '~' {
			runes[i] = '?'
		}
	}
	text := string(runes[:min(len(runes), most)])
	if len(runes) > most {
		text += "..."
	}
	return "for hosts of a kedge CA: " + text
}
