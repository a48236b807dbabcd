using System.Collections.Frozen;

namespace DataHub.Pipelines;

/// <summary>
/// The functions that statements may call: those of DuckDB 1.5 that give the same for the same arguments. Whatever is not named
/// here is refused, so that a later DuckDB brings nothing unseen. Left out on purpose: clock and chance (<c>now</c>, <c>uuid</c>,
/// <c>reservoir_quantile</c>, and <c>list_aggregate</c>, which could call it), settings and system (<c>current_setting</c>,
/// <c>getvariable</c>, <c>version</c>, <c>pg_*</c>), files, SQL in texts (<c>query</c>, <c>json_serialize_plan</c>), collations,
/// and <c>error</c>, which would carry values of rows into messages.
/// </summary>
internal static class SqlFunctions
{
    /// <summary>Functions that make rows, in <c>FROM</c>.</summary>
    public static readonly FrozenSet<string> Tables = Set("range generate_series unnest");

    /// <summary>Words that DuckDB takes for a call where no column has their name.</summary>
    public static readonly FrozenSet<string> Keywords = Set("""
        current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime localtimestamp session_user user
        """);

    private static readonly FrozenSet<string> s_allowed = Set("""
        + - * / // % ** ^ @ & | ~ << >> ! !__postfix && || ^@ <@ @> <-> <=> -> ->> ~~ !~~ ~~* !~~* ~~~
        add subtract multiply divide mod abs sign signbit ceil ceiling floor round round_even roundbankers trunc even fdiv fmod
        sqrt cbrt exp ln log log2 log10 pow power factorial gamma lgamma gcd greatest_common_divisor lcm least_common_multiple
        sin cos tan cot asin acos atan atan2 sinh cosh tanh asinh acosh atanh degrees radians pi isnan isinf isfinite nextafter
        greatest least xor bit_count get_bit set_bit bit_position bitstring nullif constant_or_null typeof

        ascii ord unicode chr bar base64 to_base64 from_base64 bin to_binary from_binary unbin hex to_hex from_hex unhex to_base encode decode
        bit_length octet_length strlen len length char_length character_length length_grapheme
        concat concat_ws contains starts_with ends_with prefix suffix instr strpos position
        left right left_grapheme right_grapheme substr substring substring_grapheme split split_part str_split string_split string_to_array
        str_split_regex string_split_regex regexp_split_to_array regexp_split_to_table
        lower lcase upper ucase lpad rpad ltrim rtrim trim repeat replace translate reverse strip_accents nfc_normalize
        like_escape not_like_escape ilike_escape not_ilike_escape
        regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
        format printf format_bytes formatReadableSize formatReadableDecimalSize parse_formatted_bytes url_encode url_decode
        levenshtein editdist3 damerau_levenshtein hamming mismatches jaccard jaro_similarity jaro_winkler_similarity
        md5 md5_number md5_number_lower md5_number_upper sha1 sha256

        age date_add date_diff datediff date_part datepart date_sub datesub date_trunc datetrunc time_bucket
        day dayname dayofmonth dayofweek dayofyear days_in_month weekday isodow isoyear week weekofyear yearweek month monthname quarter year
        decade century millennium era julian last_day hour minute second millisecond microsecond nanosecond
        epoch epoch_ms epoch_us epoch_ns make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz
        strftime strptime try_strptime to_timestamp timezone timezone_hour timezone_minute normalized_interval
        to_years to_quarters to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds
        to_centuries to_decades to_millennia

        list_value list_pack list_append list_prepend list_concat list_cat list_contains list_has list_has_all list_has_any list_position list_indexof
        list_distinct list_unique list_intersect list_element list_extract list_filter list_transform list_apply list_reduce list_resize list_reverse
        list_reverse_sort list_select list_slice list_sort list_grade_up grade_up list_where list_zip list_any_value list_avg list_count list_first list_last
        list_max list_min list_median list_mode list_product list_sum list_string_agg list_bool_and list_bool_or list_bit_and list_bit_or list_bit_xor
        list_stddev_pop list_stddev_samp list_var_pop list_var_samp list_mad list_histogram list_entropy list_kurtosis list_kurtosis_pop list_skewness list_sem
        list_distance list_cosine_distance list_cosine_similarity list_dot_product list_inner_product
        array_append array_prepend array_push_back array_push_front array_pop_back array_pop_front array_cat array_concat array_contains array_has array_has_all
        array_has_any array_position array_indexof array_distinct array_unique array_intersect array_extract array_filter array_transform array_apply
        array_reduce array_resize array_reverse array_reverse_sort array_select array_slice array_sort array_length array_to_string array_value array_where array_zip
        apply filter reduce flatten unnest generate_series range generate_subscripts element_at cardinality
        map map_concat map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys map_values
        row struct_pack struct_concat struct_contains struct_extract struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_position
        struct_update struct_values union_extract union_tag union_value
        json json_array json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text json_extract_string
        json_group_array json_keys json_merge_patch json_object json_pretty json_quote json_structure json_transform json_transform_strict
        json_type json_valid json_value from_json from_json_strict to_json row_to_json array_to_json

        any_value arbitrary first last first_value last_value nth_value lag lead fill row_number rank rank_dense dense_rank percent_rank cume_dist ntile
        count count_star count_if countif sum sum_no_overflow fsum kahan_sum sumkahan avg favg mean wavg weighted_avg geomean geometric_mean product
        min max min_by max_by arg_min arg_max argmin argmax arg_min_null arg_max_null arg_min_nulls_last arg_max_nulls_last
        median mode mad quantile quantile_cont quantile_disc histogram histogram_exact equi_width_bins is_histogram_other_bin
        stddev stddev_pop stddev_samp variance var_pop var_samp sem skewness kurtosis kurtosis_pop entropy corr covar_pop covar_samp
        regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
        bit_and bit_or bit_xor bitstring_agg bool_and bool_or list array_agg string_agg group_concat listagg
        approx_count_distinct approx_quantile approx_top_k
        """);

    /// <param name="arguments">How many it is called with; −1 where that does not matter.</param>
    public static bool Allows(string name, int arguments) => s_allowed.Contains(name)
        // With one argument it counts from today.
        && !(name.Equals("age", StringComparison.OrdinalIgnoreCase) && arguments < 2);

    private static FrozenSet<string> Set(string names) => names.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}
