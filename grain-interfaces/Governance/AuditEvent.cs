namespace DataHub.Governance;

/// <summary>
/// Something that somebody did or tried to do, as it is noted in the audit log. What it may hold is bounded
/// (<see cref="AuditEvents"/>); it never holds a secret or a row.
/// </summary>
/// <param name="Id">Unique for ever: a ULID as <see cref="Feeds.ReceiptIds"/> makes them. The same id is the same event and is noted once.</param>
/// <param name="At">When it happened; UTC.</param>
/// <param name="Action">A stable word: lower-case words, digits and hyphens separated by dots, such as <c>key.created</c>.</param>
/// <param name="Agency">Id of the agency whose business it is, which may read it too; null: the platform's alone.</param>
/// <param name="Actor"><c>key:{agency}.{key id}</c>, <c>person:{subject}</c>, <c>hub</c> or <c>public</c>.</param>
/// <param name="Object">What it was done to: kind and id, such as <c>agency:umwelt</c> or <c>dataset:luft</c>.</param>
/// <param name="Outcome">Whether it was done.</param>
/// <param name="Detail">Further facts by name, each name once; kept in the order of the names.</param>
[GenerateSerializer, Immutable, Alias("datahub.AuditEvent")]
public sealed record AuditEvent(
    [property: Id(0)] string Id,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] string Action,
    [property: Id(3)] string? Agency,
    [property: Id(4)] string Actor,
    [property: Id(5)] string Object,
    [property: Id(6)] AuditOutcome Outcome,
    [property: Id(7)] AuditDetail[] Detail)
{
    /// <summary>By content, details included.</summary>
    public bool Equals(AuditEvent? other) => other is not null
        && Id == other.Id && At.UtcTicks == other.At.UtcTicks && Action == other.Action && Agency == other.Agency && Actor == other.Actor
        && Object == other.Object && Outcome == other.Outcome && Detail.AsSpan().SequenceEqual(other.Detail);

    public override int GetHashCode() => HashCode.Combine(Id, At.UtcTicks, Action);
}

/// <summary>A further fact about an event.</summary>
[GenerateSerializer, Immutable, Alias("datahub.AuditDetail")]
public sealed record AuditDetail([property: Id(0)] string Name, [property: Id(1)] string Text);

public enum AuditOutcome
{
    /// <summary>It was done.</summary>
    Done = 0,

    /// <summary>It was asked for and refused; nothing changed.</summary>
    Refused = 1,
}

/// <summary>An entry of the audit log.</summary>
/// <param name="Sequence">Its place, from 1 without gaps.</param>
/// <param name="Link">32 bytes: the chain up to here (<see cref="AuditContent"/> says how it is made).</param>
/// <param name="Leaf">32 bytes: the hash of salt and content.</param>
/// <param name="Salt">16 random bytes, so that nobody can guess deleted content by its hash; null where the content was deleted.</param>
/// <param name="Content">The event as it was hashed (<see cref="AuditContent"/>); null where it was deleted.</param>
[GenerateSerializer, Immutable, Alias("datahub.AuditRecord")]
public sealed record AuditRecord(
    [property: Id(0)] long Sequence, [property: Id(1)] byte[] Link, [property: Id(2)] byte[] Leaf, [property: Id(3)] byte[]? Salt, [property: Id(4)] byte[]? Content)
{
    /// <summary>What the content says; null where it was deleted or cannot be read.</summary>
    public AuditEvent? Event => Content is null ? null : AuditContent.Read(Content);
}

/// <summary>The end of the chain. Whoever keeps one outside of the hub can prove later that nothing before it was changed or cut off.</summary>
/// <param name="Sequence">Of the last entry; 0 where there is none.</param>
/// <param name="Link">Its link; of an empty log <see cref="AuditContent.Genesis"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.AuditHead")]
public sealed record AuditHead([property: Id(0)] long Sequence, [property: Id(1)] byte[] Link)
{
    /// <summary>Of a log without entries.</summary>
    public static AuditHead Empty { get; } = new(0, AuditContent.Genesis.ToArray());

    /// <summary>By content.</summary>
    public bool Equals(AuditHead? other) => other is not null && Sequence == other.Sequence && Link.AsSpan().SequenceEqual(other.Link);

    public override int GetHashCode() => Sequence.GetHashCode();

    /// <summary><c>{sequence}:{link in hexadecimal}</c>, as <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => FormattableString.Invariant($"{Sequence}:{Convert.ToHexStringLower(Link)}");

    public static bool TryParse(string text, out AuditHead? head)
    {
        ArgumentNullException.ThrowIfNull(text);
        head = null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || text.Length - colon - 1 != 64) return false;
        if (!long.TryParse(text.AsSpan(0, colon), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var sequence)) return false;
        var link = new byte[32];
        if (Convert.FromHexString(text.AsSpan(colon + 1), link, out _, out var written) != System.Buffers.OperationStatus.Done || written != 32) return false;
        head = new(sequence, link);
        return true;
    }
}
