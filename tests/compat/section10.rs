//! What ChartMuseum's users suffer from, and the tests that would fail on it.
//!
//! With `CHARTROOM_BIN` naming a ChartMuseum the tests of this folder run on that one, and fail.

mod load;
mod siblings;
mod traversal;
mod words;

use std::fs;
use std::path::Path;

/// An item of section 10 of ChartMuseum's behaviour, and the tests that cover it: file and function.
struct Item {
    number: usize,
    what: &'static str,
    tests: &'static [(&'static str, &'static str)],
}

const fn item(
    number: usize,
    what: &'static str,
    tests: &'static [(&'static str, &'static str)],
) -> Item {
    Item {
        number,
        what,
        tests,
    }
}

const TABLE: (&str, &str) = (
    "tests/compat/replay.rs",
    "chartroom_answers_as_chartmuseum_does_but_where_it_says_otherwise",
);

/// Those of 10.1 (security) and 10.2 (correctness); of 10.3 (cost) those that a count of requests shows.
const ITEMS: &[Item] = &[
    item(
        1,
        "a tenant's path leads out of the storage",
        &[
            (
                "tests/compat/section10/traversal.rs",
                "no_path_leads_out_of_the_directory",
            ),
            (
                "tests/http/repositories.rs",
                "nothing_outside_of_the_store_is_read_or_written_by_a_path",
            ),
        ],
    ),
    item(
        2,
        "a provenance file's name leads out of the storage, if the chart beside it exists",
        &[(
            "tests/compat/section10/traversal.rs",
            "no_file_name_leads_out_of_the_directory",
        )],
    ),
    item(
        3,
        "a tenant's path is run as an expression",
        &[
            ("tests/http/auth.rs", "no_name_is_code_for_the_search_path"),
            ("src/auth/search_path.rs", "a_name_is_never_code"),
            TABLE,
        ],
    ),
    item(
        4,
        "a valid token without the claim makes the server panic",
        &[
            (
                "src/auth/bearer.rs",
                "a_valid_token_without_the_claim_is_refused",
            ),
            TABLE,
        ],
    ),
    item(
        5,
        "clients make up series of metrics",
        &[
            (
                "tests/http/metrics.rs",
                "nothing_that_a_client_makes_up_becomes_a_series",
            ),
            (
                "tests/http/auth.rs",
                "every_route_is_open_to_those_who_may_and_closed_to_all_others",
            ),
        ],
    ),
    item(
        6,
        "requests for tenants that are not there take memory for good",
        &[(
            "tests/http/repositories.rs",
            "an_unknown_repository_reads_as_empty_and_leaves_nothing",
        )],
    ),
    item(
        7,
        "half an authentication is none; anybody's word for his address is taken",
        &[
            (
                "src/config/tests/access.rs",
                "half_of_a_pair_stops_the_start",
            ),
            (
                "src/config/tests/access.rs",
                "passwords_and_tokens_together_stop_the_start",
            ),
            (
                "tests/compat/section10/words.rs",
                "the_client_in_the_log_is_the_peer_and_not_what_a_header_says",
            ),
        ],
    ),
    item(
        8,
        "replies tell paths, and the log whole archives",
        &[
            (
                "tests/compat/section10/words.rs",
                "no_reply_tells_where_the_server_keeps_its_files",
            ),
            (
                "tests/compat/section10/words.rs",
                "a_chart_that_cannot_be_read_is_named_and_not_copied_into_the_log",
            ),
            (
                "tests/http/failures.rs",
                "an_outage_is_503_with_a_time_to_come_back_and_no_detail",
            ),
        ],
    ),
    item(
        9,
        "a provenance file need not belong to the chart beside it",
        &[
            (
                "tests/http/uploads.rs",
                "a_provenance_file_of_another_chart_is_refused",
            ),
            (
                "tests/http/uploads.rs",
                "a_provenance_file_of_another_archive_of_the_chart_is_refused",
            ),
        ],
    ),
    item(
        10,
        "a read that fails counts as absence, and a version is overwritten",
        &[
            (
                "tests/http/unreadable.rs",
                "a_version_is_immutable_while_reads_fail",
            ),
            (
                "tests/http/failures.rs",
                "an_outage_never_lets_a_version_be_replaced",
            ),
        ],
    ),
    item(
        11,
        "two uploads of one version are both taken",
        &[
            (
                "tests/compat/section10/load.rs",
                "of_uploads_of_one_version_at_once_exactly_one_is_taken",
            ),
            (
                "tests/protocol/uploads.rs",
                "of_racing_uploads_exactly_one_wins",
            ),
        ],
    ),
    item(
        12,
        "lists while new names are uploaded kill the process",
        &[(
            "tests/compat/section10/load.rs",
            "lists_stay_whole_while_new_names_are_uploaded",
        )],
    ),
    item(
        13,
        "versions are listed twice",
        &[(
            "tests/http/unreadable.rs",
            "nothing_is_listed_twice_when_uploads_and_refreshes_meet",
        )],
    ),
    item(
        14,
        "after a failure a tenant hangs for good, and all others with it",
        &[(
            "tests/http/unreadable.rs",
            "a_repository_that_failed_answers_again_and_the_others_never_stopped",
        )],
    ),
    item(
        15,
        "a slow reader holds up all uploads",
        &[(
            "tests/compat/section10/load.rs",
            "a_reader_who_does_not_read_holds_up_nobody",
        )],
    ),
    item(
        16,
        "replicas and background writes overwrite each other's index",
        &[
            (
                "storage/tests/log/agreement.rs",
                "racing_writers_agree_on_one_order_and_lose_nothing",
            ),
            (
                "tests/protocol/uploads.rs",
                "an_upload_is_listed_everywhere_and_a_second_one_is_refused",
            ),
        ],
    ),
    item(
        17,
        "an index file is believed at the start, however old",
        &[(
            "tests/compat/adoption.rs",
            "a_stale_index_of_chartmuseums_is_not_believed_at_any_start",
        )],
    ),
    item(
        18,
        "tenants in a bucket see those whose names begin like theirs, and fail for it",
        &[
            (
                "tests/compat/section10/siblings.rs",
                "siblings_in_a_bucket_do_not_see_each_other",
            ),
            (
                "tests/http/repositories.rs",
                "siblings_with_the_same_beginning_never_see_each_other",
            ),
        ],
    ),
    item(
        19,
        "one unreadable object takes the whole tenant down",
        &[
            (
                "tests/http/unreadable.rs",
                "one_unreadable_object_takes_no_other_chart_away",
            ),
            (
                "tests/refusals/starts.rs",
                "corrupt_archives_in_the_directory_are_named_and_skipped",
            ),
        ],
    ),
    item(
        20,
        "readers behind a failure wait for good",
        &[(
            "tests/http/unreadable.rs",
            "a_repository_that_failed_answers_again_and_the_others_never_stopped",
        )],
    ),
    item(
        21,
        "the limit of versions deletes too many, too few and too early",
        &[
            (
                "tests/http/limits.rs",
                "an_overwrite_at_the_limit_removes_nothing",
            ),
            (
                "tests/http/limits.rs",
                "the_lowest_version_goes_with_its_provenance_when_one_is_too_many",
            ),
            ("tests/http/limits.rs", "a_refused_upload_removes_nothing"),
            TABLE,
        ],
    ),
    item(
        22,
        "limits, form fields, values, pages of lists and CORS fail beside certain options",
        &[
            (
                "tests/http/limits.rs",
                "the_storage_limit_holds_on_every_route",
            ),
            ("tests/http/contents.rs", "absolute_urls_do_not_matter"),
            ("tests/http/api.rs", "a_page_counts_names"),
            (
                "tests/http/cors.rs",
                "every_reply_of_the_api_has_the_header_and_no_other",
            ),
            TABLE,
        ],
    ),
    item(
        23,
        "a context path has no end, and wrong URLs get a page",
        &[
            (
                "tests/http/repositories.rs",
                "a_context_path_stands_before_everything_and_is_in_the_index",
            ),
            TABLE,
        ],
    ),
    item(
        24,
        "half a file is visible, and stays after a crash",
        &[
            (
                "tests/compat/section10/load.rs",
                "an_archive_that_is_replaced_is_never_seen_half",
            ),
            (
                "tests/crash/main.rs",
                "kills_lose_nothing_that_was_acknowledged",
            ),
        ],
    ),
    item(
        25,
        "probes are well when nothing works",
        &[(
            "tests/http/unreadable.rs",
            "probes_and_head_tell_the_truth_about_a_store_that_does_not_answer",
        )],
    ),
    item(
        26,
        "a wrong configuration ends with 0, and a signal cuts what runs",
        &[
            (
                "tests/compat/drop_in.rs",
                "a_wrong_value_is_told_with_its_variable_and_exit_code_2",
            ),
            (
                "tests/refusals/values.rs",
                "wrong_values_end_with_exit_code_2_and_the_name_of_the_option",
            ),
            (
                "tests/http/sockets.rs",
                "draining_finishes_what_runs_and_accepts_no_more",
            ),
        ],
    ),
    item(
        27,
        "a chart with pre-releases only has no latest version",
        &[
            (
                "tests/http/api.rs",
                "latest_of_a_chart_with_pre_releases_only_is_the_newest_of_them",
            ),
            TABLE,
        ],
    ),
    item(
        28,
        "each upload renders and writes the whole index",
        &[
            (
                "src/index/rendered/tests.rs",
                "a_copy_shares_compressed_blocks_with_what_it_was_copied_from",
            ),
            (
                "tests/protocol/costs.rs",
                "an_upload_takes_four_requests_and_a_repeated_one_two",
            ),
        ],
    ),
    item(
        29,
        "a repeated upload downloads what is there",
        &[(
            "tests/protocol/costs.rs",
            "an_upload_takes_four_requests_and_a_repeated_one_two",
        )],
    ),
    item(
        30,
        "the whole bucket is listed for the root tenant",
        &[(
            "tests/protocol/costs.rs",
            "a_refresh_of_a_quiet_repository_is_one_listing_and_one_look_at_the_log",
        )],
    ),
    item(
        31,
        "a slow bucket delays the requests of all tenants",
        &[(
            "tests/http/unreadable.rs",
            "a_repository_whose_store_is_slow_holds_up_no_other",
        )],
    ),
    item(
        32,
        "every look at the index transfers all of it",
        &[
            (
                "tests/http/index.rs",
                "a_client_that_has_the_index_gets_304_until_it_changes",
            ),
            (
                "tests/http/index.rs",
                "gzip_is_for_those_who_ask_and_has_a_weak_tag",
            ),
        ],
    ),
];

/// The last item of 10.2. What comes after it is covered where it is cheap.
const LAST: usize = 27;

#[test]
fn every_item_names_tests_that_are_there() {
    let numbers: Vec<usize> = ITEMS.iter().map(|item| item.number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    for number in 1..=LAST {
        assert!(numbers.contains(&number), "nothing covers item {number}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for Item {
        number,
        what,
        tests,
    } in ITEMS
    {
        assert!(!tests.is_empty(), "nothing covers item {number}: {what}");
        for (file, function) in *tests {
            let text = fs::read_to_string(root.join(file));
            let text = text.unwrap_or_else(|error| panic!("item {number}: {file}: {error}"));
            assert!(
                is_test(&text, function),
                "item {number}: no test {function} in {file}"
            );
        }
    }
}

/// Whether the source has a test of that name: `#[test]` or `#[tokio::test…]`, then the function.
pub(crate) fn is_test(source: &str, function: &str) -> bool {
    let head = format!("fn {function}(");
    let mut last = "";
    for line in source.lines().map(str::trim) {
        if line.trim_start_matches("async ").starts_with(&head) {
            return last.starts_with("#[test]") || last.starts_with("#[tokio::test");
        }
        last = line;
    }
    false
}
