namespace DataHub;

/// <summary>Marks an options class: its section under <c>DataHub</c>, such as <c>Log</c> for <c>DataHub:Log:…</c>.</summary>
/// <remarks>
/// The host finds every marked class, binds and checks it before anything else starts, and writes the table of
/// settings in <c>--help</c> from it; so a setting is described in one place only.
/// </remarks>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SettingsAttribute(string section) : Attribute
{
    /// <summary>Name of the section below <c>DataHub</c>.</summary>
    public string Section { get; } = section;
}

/// <summary>Describes one setting: a public property with getter and setter (or init) whose initial value is the default.</summary>
/// <param name="de">What it means, in German: one line.</param>
/// <param name="en">The same in English.</param>
/// <remarks>
/// Types: <see cref="int"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/>,
/// <see cref="TimeSpan"/>. Numbers and durations must have <see cref="Min"/> and <see cref="Max"/>, both allowed themselves.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string de, string en) : Attribute
{
    public string De { get; } = de;

    public string En { get; } = en;

    /// <summary>Smallest allowed value, as in configuration (<c>1</c>, <c>00:00:01</c>).</summary>
    public string? Min { get; init; }

    /// <summary>Greatest allowed value, as in configuration.</summary>
    public string? Max { get; init; }
}
