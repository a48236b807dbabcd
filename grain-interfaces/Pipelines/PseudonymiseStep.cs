using System.Text.Json.Serialization;

namespace DataHub.Pipelines;

/// <summary>
/// Values of the named columns become pseudonyms: HMAC-SHA-256 (RFC 2104) under a key of the agency and the purpose, the
/// first 160 bits as 32 characters of base 32 (RFC 4648, section 6, in lower case) behind the key's version, such as
/// <c>v1.mzxw6ytb…</c>. Equal values of one type have equal pseudonyms in every column and job of the purpose, those of
/// another purpose or version cannot be tied to them, and no value stays no value. What is text then counts in Unicode's
/// form NFC; 7 as a number, an integer or a text are three values. The rows of the table lie in the order of all its
/// columns: in that of their source they would tell who is who.
/// <para>
/// Pseudonymised data stay personal data (GDPR, Art. 4(5) with recital 26): whoever has the key and can guess a value
/// finds its pseudonym. So the key is kept apart from the tables and never given out, each purpose is a domain of its own
/// (EDPB Guidelines 01/2025 on pseudonymisation: pseudonymisation domain, pseudonymisation secrets), the table is for
/// those only who may see personal fields, and other columns that name somebody have to be left out by whoever writes the
/// job.
/// </para>
/// </summary>
/// <param name="Input">Id of the step whose table it is.</param>
/// <param name="Columns">That become pseudonyms, 1 to 1,000.</param>
/// <param name="Purpose">Id of the purpose; the agency has a key for it (<see cref="IPseudonymKeysGrain"/>).</param>
[GenerateSerializer, Immutable, Alias("datahub.PseudonymiseStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PseudonymiseStep([property: Id(0), JsonRequired] string Input, [property: Id(1), JsonRequired] string[] Columns, [property: Id(2), JsonRequired] string Purpose)
{
    /// <summary>Nothing of the columns is kept, not even a pseudonym (GDPR, Art. 5(1)(c)); no key is used then.</summary>
    [Id(3)] public bool Drop { get; init; }
}
