//! What the nodes of the grammars mean here. The grammars name alike things alike, so that one
//! table serves them all.

/// What a node is, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string; its parts are below it or in its text.
    String,
    /// A comment.
    Comment,
    /// Markup around the code.
    Markup,
    /// `a + b`, `a . b`, `"a" "b"` and the like; the operator still has to be looked at.
    Binary,
    /// A node that only wraps another.
    Wrapper,
    /// A call, a construction or a command.
    Call,
    /// An annotation or an attribute.
    Annotation,
    /// Something that gives a value a name and ends the expression.
    Assignment,
    /// A named value inside an expression: a map entry, a named argument.
    Pair,
    /// A label of a switch or a match.
    Case,
    /// A comparison without an operator to look at.
    Comparison,
    /// A list of arguments or elements.
    List,
    /// A class, module, object or map.
    Container,
    /// A function or method.
    Function,
    /// `a.b`, `a->b`
    Member,
    /// `a['b']`
    Subscript,
    /// A name.
    Identifier,
    /// Where an expression ends on the way up.
    Boundary,
    /// Anything else.
    Other,
}

/// What a node of that kind is.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn kind(name: &str) -> Kind {
    match name {
        "string"
        | "encapsed_string"
        | "heredoc"
        | "nowdoc"
        | "heredoc_body"
        | "interpreted_string_literal"
        | "raw_string_literal"
        | "string_literal"
        | "verbatim_string_literal"
        | "interpolated_string_expression"
        | "template_string"
        | "line_string_literal"
        | "multi_line_string_literal"
        | "raw_string"
        | "ansi_c_string"
        | "translated_string"
        | "text_block"
        | "bare_string" => Kind::String,

        "comment" | "line_comment" | "block_comment" | "multiline_comment" | "html_comment" => {
            Kind::Comment
        }

        "text" => Kind::Markup,

        "additive_expression"
        | "additive_argument_expression"
        | "binary"
        | "binary_expression"
        | "binary_operator"
        | "chained_string"
        | "concatenated_string"
        | "concatenation"
        | "equality_expression" => Kind::Binary,

        "parenthesized_expression"
        | "parenthesized_statements"
        | "tuple_expression"
        | "array_literal_expression"
        | "unary_expression"
        | "range_expression"
        | "format_expression"
        | "multiplicative_expression"
        | "bitwise_expression"
        | "logical_expression"
        | "pipeline_chain"
        | "pipeline"
        | "logical_argument_expression"
        | "bitwise_argument_expression"
        | "comparison_argument_expression"
        | "multiplicative_argument_expression"
        | "format_argument_expression"
        | "range_argument_expression"
        | "argument_expression"
        | "expression_list"
        | "literal_element"
        | "at_expression"
        | "await_expression" => Kind::Wrapper,

        "call"
        | "call_expression"
        | "function_call_expression"
        | "member_call_expression"
        | "nullsafe_member_call_expression"
        | "scoped_call_expression"
        | "object_creation_expression"
        | "new_expression"
        | "method_invocation"
        | "invocation_expression"
        | "message_expression"
        | "command"
        | "invokation_expression"
        | "explicit_constructor_invocation"
        | "constructor_expression"
        | "implicit_object_creation_expression"
        | "print_intrinsic"
        | "echo_statement"
        | "include_expression"
        | "include_once_expression"
        | "require_expression"
        | "require_once_expression"
        | "throw_expression"
        | "throw_statement"
        | "raise_statement"
        | "super_call"
        | "exit_statement"
        | "import_spec"
        | "import_statement"
        | "import_from_statement" => Kind::Call,

        "annotation" | "decorator" | "attribute_list" => Kind::Annotation,

        "assignment"
        | "assignment_expression"
        | "assignment_statement"
        | "augmented_assignment"
        | "augmented_assignment_expression"
        | "operator_assignment"
        | "variable_declarator"
        | "const_spec"
        | "var_spec"
        | "short_var_declaration"
        | "const_element"
        | "property_element"
        | "property_declaration"
        | "init_declarator"
        | "preproc_def"
        | "field_definition"
        | "public_field_definition"
        | "enum_assignment"
        | "variable_assignment"
        | "script_parameter"
        | "simple_parameter"
        | "property_promotion_parameter"
        | "default_parameter"
        | "typed_default_parameter"
        | "optional_parameter"
        | "required_parameter"
        | "parameter"
        | "enum_entry"
        | "assignment_pattern"
        | "static_variable_declaration" => Kind::Assignment,

        "pair"
        | "keyword_argument"
        | "dictionary_pair"
        | "keyed_element"
        | "array_element_initializer"
        | "value_argument"
        | "element_value_pair"
        | "hash_entry"
        | "dictionary_element" => Kind::Pair,

        "case_statement"
        | "switch_case"
        | "expression_case"
        | "switch_label"
        | "case_switch_label"
        | "constant_pattern"
        | "when"
        | "switch_pattern"
        | "switch_clause_condition"
        | "match_condition_list"
        | "case_item"
        | "case_pattern" => Kind::Case,

        "comparison_operator" => Kind::Comparison,

        "arguments"
        | "argument_list"
        | "annotation_argument_list"
        | "array_creation_expression"
        | "array"
        | "list"
        | "tuple"
        | "array_literal"
        | "value_arguments"
        | "element_list"
        | "argument_expression_list"
        | "command_elements"
        | "array_initializer"
        | "initializer_expression"
        | "string_array"
        | "collection_expression"
        | "array_expression" => Kind::List,

        "class_declaration"
        | "class_definition"
        | "class"
        | "module"
        | "object"
        | "hash"
        | "dictionary"
        | "literal_value"
        | "dictionary_literal"
        | "class_implementation"
        | "interface_declaration"
        | "trait_declaration"
        | "enum_declaration"
        | "struct_declaration"
        | "record_declaration"
        | "namespace_declaration"
        | "namespace_definition"
        | "singleton_class"
        | "class_interface"
        | "class_statement"
        | "hash_literal_expression" => Kind::Container,

        "function_definition"
        | "method_definition"
        | "method_declaration"
        | "function_declaration"
        | "method"
        | "singleton_method"
        | "function_statement"
        | "constructor_declaration"
        | "init_declaration"
        | "generator_function_declaration"
        | "local_function_statement"
        | "class_method_definition" => Kind::Function,

        "function_expression"
        | "arrow_function"
        | "lambda"
        | "lambda_literal"
        | "anonymous_function"
        | "anonymous_function_creation_expression"
        | "func_literal"
        | "do_block"
        | "block"
        | "statement_block"
        | "compound_statement"
        | "body_statement"
        | "class_body"
        | "declaration_list"
        | "program"
        | "source_file"
        | "statement_list"
        | "function_body"
        | "statements"
        | "script_block"
        | "expression_statement" => Kind::Boundary,

        "member_expression"
        | "member_access_expression"
        | "attribute"
        | "selector_expression"
        | "navigation_expression"
        | "field_access"
        | "field_expression"
        | "nullsafe_member_access_expression"
        | "member_access" => Kind::Member,

        "subscript_expression"
        | "subscript"
        | "element_reference"
        | "element_access_expression"
        | "index_expression"
        | "element_access" => Kind::Subscript,

        "identifier"
        | "property_identifier"
        | "field_identifier"
        | "simple_identifier"
        | "variable_name"
        | "name"
        | "constant"
        | "instance_variable"
        | "hash_key_symbol"
        | "simple_symbol"
        | "variable"
        | "simple_name"
        | "member_name"
        | "word"
        | "shorthand_property_identifier"
        | "class_variable"
        | "global_variable"
        | "type_identifier" => Kind::Identifier,

        _ => Kind::Other,
    }
}

/// True if a part of a string stands for the value of something else.
pub(super) fn is_interpolation(name: &str) -> bool {
    matches!(
        name,
        "interpolation"
            | "template_substitution"
            | "interpolated_expression"
            | "variable_name"
            | "variable"
            | "sub_expression"
            | "simple_expansion"
            | "expansion"
            | "command_substitution"
            | "member_access_expression"
            | "subscript_expression"
            | "dynamic_variable_name"
            | "braced_variable"
            | "string_interpolation"
    )
}
