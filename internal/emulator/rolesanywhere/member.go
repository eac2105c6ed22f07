package rolesanywhere

import "strings"

// Members returns the members of an operation's input but for what the path has, those below another after a dot, in lists as
// well: "tags.key" (model).
func (op Operation) Members() []string {
	const (
		source        = " source.sourceType source.sourceData.x509CertificateData source.sourceData.acmPcaArn"
		notifications = " notificationSettings.enabled notificationSettings.event notificationSettings.threshold notificationSettings.channel"
		tags          = " tags.key tags.value"
		profile       = "name roleArns managedPolicyArns sessionPolicy durationSeconds acceptRoleSessionName aliasName" +
			" tipConfiguration.status tipConfiguration.subjectSource tipConfiguration.subjectType"
	)
	members := map[string]string{
		"CreateTrustAnchor":         "name enabled crlDpRevocationEnabled aliasName" + source + notifications + tags,
		"UpdateTrustAnchor":         "name crlDpRevocationEnabled aliasName" + source,
		"PutNotificationSettings":   "trustAnchorId" + notifications,
		"ResetNotificationSettings": "trustAnchorId notificationSettingKeys.event notificationSettingKeys.channel",
		"CreateProfile":             profile + " enabled requireInstanceProperties" + tags,
		"UpdateProfile":             profile,
		"PutAttributeMapping":       "certificateField mappingRules.specifier",
		"DeleteAttributeMapping":    "certificateField specifiers",
		"ImportCrl":                 "name crlData trustAnchorArn enabled aliasName" + tags,
		"UpdateCrl":                 "name crlData aliasName",
		"ListTagsForResource":       "resourceArn",
		"TagResource":               "resourceArn" + tags,
		"UntagResource":             "resourceArn tagKeys",
	}[op.Name]
	if strings.HasPrefix(op.Name, "List") && members == "" {
		members = "pageSize nextToken"
	}
	return strings.Fields(members)
}
