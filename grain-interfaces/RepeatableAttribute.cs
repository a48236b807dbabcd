namespace DataHub;

/// <summary>
/// A call that may be sent again when its answer does not come: it only reads, or a repeat finds done what the first has
/// done and answers the same. A front-end repeats such calls by itself (<see cref="NotRepeatableAttribute"/>: it does not).
/// Every method of a grain interface says one or the other.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RepeatableAttribute : Attribute
{
    /// <summary>Only with an argument that is an <see cref="IRepeatable"/> and says so.</summary>
    public bool IfArgumentSays { get; init; }
}

/// <summary>A call that must not be sent again by anybody who does not know whether the first was received.</summary>
/// <param name="because">What a repeat would do.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NotRepeatableAttribute(string because) : Attribute
{
    public string Because { get; } = because;
}

/// <summary>An argument on which it depends whether its call may be repeated.</summary>
public interface IRepeatable
{
    bool MayBeRepeated { get; }
}
