using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>The words of agreements on the wire and for people.</summary>
public static class AgreementWords
{
    private static readonly string[] s_acts =
        ["change", "offer", "agree", "withdraw", "suspend", "resume", "revoke", "end", "fulfil-duty", "acknowledge-charter", "activate", "expire", "miss-duty"];

    private static readonly string[] s_states = ["DRAFT", "OFFERED", "NEGOTIATED", "AGREED", "ACTIVE", "SUSPENDED", "EXPIRING", "ENDED", "REVOKED"];

    private static readonly string[] s_sides = ["hub", "provider", "recipient"];

    /// <summary>The acts of a side, without the change, which is put.</summary>
    public static IReadOnlyList<string> Acts { get; } = s_acts[1..10];

    public static string Of(AgreementAct act) => s_acts[(int)act];

    public static string Of(AgreementState state) => s_states[(int)state];

    public static string Of(AgreementSide side) => s_sides[(int)side];

    /// <summary>The act that a word means; null where it is another.</summary>
    public static AgreementAct? Act(string? word) => Array.IndexOf(s_acts, word) is >= 0 and var place ? (AgreementAct)place : null;

    /// <summary>The side that a word means; null where it is another.</summary>
    public static AgreementSide? Side(string? word) => Array.IndexOf(s_sides, word) is >= 0 and var place ? (AgreementSide)place : null;

    /// <summary>For people, as in „die bereitstellende Seite“.</summary>
    public static LocalText Name(AgreementSide side) => side switch
    {
        AgreementSide.Provider => new("die bereitstellende Seite", "the provider"),
        AgreementSide.Recipient => new("die empfangende Seite", "the recipient"),
        _ => new("der Hub", "the hub"),
    };

    /// <summary>For people.</summary>
    public static LocalText Name(AgreementState state) => state switch
    {
        AgreementState.Draft => new("Entwurf", "draft"),
        AgreementState.Offered => new("angeboten", "offered"),
        AgreementState.Negotiated => new("in Verhandlung", "negotiated"),
        AgreementState.Agreed => new("vereinbart", "agreed"),
        AgreementState.Active => new("wirksam", "active"),
        AgreementState.Suspended => new("ausgesetzt", "suspended"),
        AgreementState.Expiring => new("läuft aus", "expiring"),
        AgreementState.Ended => new("beendet", "ended"),
        _ => new("widerrufen", "revoked"),
    };

    public static string Of(DerivedRule rule) => rule switch { DerivedRule.Frozen => "frozen", DerivedRule.Deleted => "deleted", _ => "kept" };

    public static string Of(DerivedState state) => state switch
    {
        DerivedState.Kept => "kept",
        DerivedState.Frozen => "frozen",
        DerivedState.Deleting => "deleting",
        DerivedState.Deleted => "deleted",
        _ => "noted",
    };
}
