namespace DataHub.Catalog;

/// <summary>How people and groups are written.</summary>
public static class Subjects
{
    /// <summary>Longest subject, in characters: an issuer's subject has 255 at most (OpenID Connect Core 1.0, clause 2).</summary>
    public const int MaxLength = 320;

    /// <summary>A person of an issuer: <c>{issuer}:{subject}</c>, such as <c>oidc:8f3c…</c>; the issuer is the name that the configuration gives it.</summary>
    public static string Person(string issuer, string subject) => $"{issuer}:{subject}";

    /// <summary>Whether a text can be a person: an issuer's name, a colon and a subject without control characters.</summary>
    public static bool IsPerson(string? text)
    {
        if (text is null || text.Length > MaxLength || text.Any(char.IsControl)) return false;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < text.Length - 1 && CatalogIds.IsValid(text[..colon]);
    }

    /// <summary>A group of an agency: <c>{agency}/{group}</c>.</summary>
    public static string Group(string agency, string group) => $"{agency}/{group}";

    /// <summary>Whether a text can be a group: two ids with a slash between them.</summary>
    public static bool IsGroup(string? text) => text is not null && text.Split('/') is [var agency, var group] && CatalogIds.IsValid(agency) && CatalogIds.IsValid(group);

    /// <summary>The agency that a group belongs to.</summary>
    public static string AgencyOf(string group)
    {
        ArgumentNullException.ThrowIfNull(group);
        return group[..group.IndexOf('/', StringComparison.Ordinal)];
    }
}
