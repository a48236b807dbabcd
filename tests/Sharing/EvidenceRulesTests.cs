using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Sharing;

/// <summary>What a question for a single record needs, and what the log makes of it.</summary>
public sealed class EvidenceRulesTests
{
    private static readonly EvidenceRequest s_request = new([new("id", "\"a\"")], "§ 1", "Antrag", "AZ 1", "Amt");

    private static readonly CompiledContract s_contract = CompiledContract.Compile(
        new TableSchema(1,
        [
            new("id", FieldType.String, null, FieldRole.None, FieldConstraints.None, null, null, null), new("number", FieldType.Integer, null, FieldRole.None, FieldConstraints.None, null, null, null),
            new("name", FieldType.String, null, FieldRole.Personal, FieldConstraints.None, null, null, null), new("paid", FieldType.Boolean, null, FieldRole.None, FieldConstraints.None, null, null, null),
        ], ["id", "number"], [""]), DatasetKind.Records);

    [Fact]
    public void A_question_names_norm_procedure_file_number_requester_and_purpose()
    {
        var use = new StatedUse("planung", null);
        Assert.Null(EvidenceRules.Fault(s_request, use));
        foreach (var (request, stated, member) in new[]
        {
            (s_request, null, "DataHub-Purpose"), (s_request with { LegalNorm = "" }, use, "legalNorm"), (s_request with { Procedure = "\t" }, use, "procedure"), (s_request with { FileNumber = new('x', 201) }, use, "fileNumber"),
            (s_request with { Requester = "a\u0007" }, use, "requester"), (s_request with { LegalNorm = null! }, use, "legalNorm"),
        })
        {
            var fault = EvidenceRules.Fault(request, stated);
            Assert.StartsWith(member + ":", fault!.De, StringComparison.Ordinal);
            Assert.StartsWith(member + ":", fault.En, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_key_is_whole_and_of_its_types_and_its_values_are_not_told_again()
    {
        foreach (var (parts, member) in new (EvidenceKeyPart[], string)[]
        {
            ([new("id", "\"a\"")], "key.number"), ([new("number", "1")], "key.id"), ([new("id", "\"a\""), new("number", "\"geheim\"")], "key.number"), ([new("id", "5"), new("number", "1")], "key.id"),
            ([new("id", "\"a\""), new("number", "1"), new("name", "\"geheim\"")], "key.name"), ([new("id", "\"a\""), new("id", "\"b\""), new("number", "1")], "key.id"), ([new("id", "{"), new("number", "1")], "key.id"),
            ([new("id", $"\"{new string('x', 5_000)}\""), new("number", "1")], "key.id"), ([new("id", "\"a\""), new("number", "null")], "key.number"), ([], "key.id"),
        })
        {
            var (key, fault) = EvidenceRules.Key(s_contract, parts);
            Assert.Null(key);
            Assert.StartsWith(member, fault!.De, StringComparison.Ordinal);
            Assert.DoesNotContain("geheim", fault.De + fault.En, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_record_is_named_by_a_keyed_hash_of_its_key_and_an_answer_is_hashed_with_a_salt_of_its_own()
    {
        var (key, fault) = EvidenceRules.Key(s_contract, [new("number", "258"), new("id", "\"ä\"")]);
        Assert.Null(fault);

        // By hand: a text ended by zero, an integer with its sign flipped, each behind a one.
        byte[] expected = [1, 0xC3, 0xA4, 0, 1, 0x80, 0, 0, 0, 0, 0, 1, 2];
        Assert.Equal(expected, key!.Bytes);
        var (secret, other) = (Encoding.ASCII.GetBytes("01234567890123456789012345678901"), new byte[32]);
        using var hmac = new HMACSHA256(secret);
        Assert.Equal(Convert.ToHexString(hmac.ComputeHash([1, .. expected])), EvidenceRules.RecordHash(secret, key.Bytes), ignoreCase: true);
        Assert.NotEqual(EvidenceRules.RecordHash(other, key.Bytes), EvidenceRules.RecordHash(secret, key.Bytes));
        Assert.NotEqual(EvidenceRules.Salt(secret, "1"), EvidenceRules.Salt(secret, "2"));
        Assert.NotEqual(EvidenceRules.ContentHash(EvidenceRules.Salt(secret, "1"), "null"), EvidenceRules.ContentHash(EvidenceRules.Salt(secret, "2"), "null"));
    }

    [Fact]
    public void The_content_has_the_given_fields_in_the_contracts_order_and_nothing_else()
    {
        var row = new RowBlock { Count = 1, Columns = [Column.OfTexts(["a"]), Column.OfIntegers([7]), Column.OfTexts(["„Ada“ <x>"]), Column.OfBooleans([Column.NullBoolean])] };
        Assert.Equal("""{"id":"a","name":"„Ada“ <x>","paid":null}""", EvidenceRules.Content(s_contract, row, new HashSet<string> { "paid", "name", "id" }));
        Assert.Equal("null", EvidenceRules.Content(s_contract, null, new HashSet<string> { "id" }));
    }

    [Fact]
    public void An_agreement_gives_records_of_its_period_its_areas_and_its_filter()
    {
        var row = new RowBlock { Count = 1, Columns = [Column.OfTexts(["a"]), Column.OfIntegers([7]), Column.OfTexts(["Ada"]), Column.OfBooleans([1])] };
        var (from, to) = (new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        var areas = new HashSet<string> { "01", "0101" };
        foreach (var (data, time, area, gives) in new (AgreementData, DateTimeOffset?, string?, bool)[]
        {
            (new(), null, null, true), (new() { From = from, To = to }, from, null, true), (new() { From = from, To = to }, to, null, false), (new() { From = from }, from.AddTicks(-1), null, false), (new() { From = from }, null, null, false),
            (new() { Areas = ["01"] }, null, "0101", true), (new() { Areas = ["01"] }, null, "02", false), (new() { Areas = ["01"] }, null, null, false),
            (new() { Filter = "paid = TRUE" }, null, null, true), (new() { Filter = "paid = FALSE" }, null, null, false), (new() { Filter = "number > 7" }, null, null, false),
        })
        {
            var terms = AgreementRulesTests.Terms() with { Data = data };
            Assert.Equal(gives, EvidenceRules.Gives(terms, s_contract, row, time?.UtcTicks ?? long.MinValue, area, data.Areas is null ? null : areas));
        }
    }

    [Fact]
    public void An_entry_is_over_when_its_time_is_and_a_day_when_its_last_entry_could_be()
    {
        var (at, kept) = (new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero), TimeSpan.FromDays(730));
        Assert.False(EvidenceRules.IsOver(at, at.AddDays(730).AddTicks(-1), kept));
        Assert.True(EvidenceRules.IsOver(at, at.AddDays(730), kept));
        var (day, begin) = (new DateOnly(2026, 12, 1), new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal((false, false), EvidenceRules.IsOver(day, begin.AddDays(730).AddTicks(-1), kept));
        Assert.Equal((true, false), EvidenceRules.IsOver(day, begin.AddDays(730), kept));
        Assert.Equal((true, true), EvidenceRules.IsOver(day, begin.AddDays(731), kept));
    }
}
