//! Codes of a request that was wrong in itself: a defect of this host, of a mapping, or of the configuration.

use super::{Rule, rule};
use crate::domain::Class::Request;
use crate::domain::Scope::Record;

pub(super) const RULES: &[Rule] = &[
    rule(Request, Record, "INVALID_FIELD_FOR_INSERT_UPDATE").with("bad field names on insert/update call").words(
        "A field may not be written on this kind of record.",
        "For person accounts: FirstName and LastName are written, never Name.",
    ),
    rule(Request, Record, "DUPLICATE_VALUE")
        .with("duplicate external id specified")
        .words("Two records of one request had the same external id.", "Nothing in the organization: report it."),
    rule(
        Request,
        Record,
        "INVALID_TYPE_ON_FIELD_IN_RECORD JSON_PARSER_ERROR INVALID_DATE_FORMAT MALFORMED_ID INVALID_ID_FIELD",
    )
    .words(
        "A value does not fit its field: of another type, or no id where one is needed.",
        "The field that Salesforce's words name: its type, and its name under `[orgs.salesforce.objects]`.",
    ),
    rule(
        Request,
        Record,
        "MALFORMED_QUERY MALFORMED_SEARCH INVALID_QUERY_FILTER_OPERATOR INVALID_SEARCH INVALID_SEARCH_SCOPE \
         INVALID_QUERY_SCOPE INVALID_QUERY_KEY INVALID_QUERY_VALUE INVALID_FILTER_VALUE QUERY_TOO_COMPLICATED \
         EXCEEDED_MAX_FILTER_ENTITIES EXCEEDED_MAX_SEMIJOIN_SUBSELECTS INVALID_LOCATOR INVALID_PAGING_OPTION \
         INVALID_SORT_OPTION ILLEGAL_QUERY_PARAMETER_VALUE",
    )
    .words(
        "Salesforce could not understand a search of this host.",
        "The fields that the policy searches contacts by; if they can be searched, report it.",
    ),
    rule(
        Request,
        Record,
        "EXCEEDED_MAX_SIZE_REQUEST OPERATION_TOO_LARGE EXCEEDED_ID_LIMIT EXCEEDED_MAX_TYPES_LIMIT \
         EXCEEDED_MAX_SOBJECTS TOO_MANY_RECORDS INVALID_BATCH_SIZE",
    )
    .words("The request was too large.", "Nothing in the organization: report it."),
    rule(
        Request,
        Record,
        "MISSING_ARGUMENT ID_REQUIRED DUPLICATE_ARGUMENT_VALUE ARGUMENT_OBJECT_PARSE_ERROR INVALID_INPUT_COMBINATION \
         METHOD_NOT_ALLOWED UNSUPPORTED_MEDIA_TYPE NOT_ACCEPTABLE POST_BODY_PARSE_ERROR XML_PARSER_ERROR \
         INVALID_MULTIPART_REQUEST INVALID_SOAP_HEADER INVALID_BATCH_REQUEST INVALID_BATCH_OPERATION \
         CIRCULAR_OBJECT_GRAPH INVALIDJOB",
    ),
    // The words of this host itself.
    rule(Request, Record, "NOT_A_FIELD").words(
        "The policy searches contacts by something that is no field.",
        "The policy's `search`: API names of fields of Contact.",
    ),
];
