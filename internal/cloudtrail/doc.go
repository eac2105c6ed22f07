// Package cloudtrail reads events of AWS CloudTrail, and finds in them what leads to the certificate of a host.
//
// It takes files as CloudTrail delivers them ({"Records": […]}, compressed or not, in folders by date), the answer of
// "aws cloudtrail lookup-events" ({"Events": […]}), arrays of events, and one event a line. A file of any size is read
// in bounded memory, and an event that cannot be read stops only itself where the form of the file allows it.
//
// Sources: AWS CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element"; IAM User
// Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail". What CreateSession has is known from published
// events.
package cloudtrail
