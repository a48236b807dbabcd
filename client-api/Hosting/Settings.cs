using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

using DataHub.Catalog;

using Microsoft.Extensions.Options;

namespace DataHub.Hosting;

/// <summary>
/// All settings of one program: found in the options classes of its rooms, checked before anything starts, and described
/// for <c>--help</c>.
/// </summary>
internal sealed class Settings
{
    public const string Root = "DataHub";

    private readonly SettingsSection[] _all;

    /// <param name="rooms">A later room's section stands in place of an earlier one's of the same name; its class derives from that one's or needs nothing of it.</param>
    public Settings(params Assembly[] rooms)
    {
        _all = Find(rooms);
        Sections = [.. _all.GroupBy(section => section.Name, StringComparer.Ordinal).Select(sections => sections.Last()).OrderBy(section => section.Name, StringComparer.Ordinal)];
    }

    /// <summary>Every section, by name.</summary>
    public IReadOnlyList<SettingsSection> Sections { get; }

    /// <summary>Checks everything below <c>DataHub</c>: unknown names, values that cannot be read, values out of range.</summary>
    /// <returns>One line per fault; empty where all is well.</returns>
    public IReadOnlyList<LocalText> Check(IConfiguration configuration)
    {
        var faults = new List<LocalText>();
        var known = Sections.ToDictionary(section => section.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var given in configuration.GetSection(Root).GetChildren())
        {
            if (!known.TryGetValue($"{Root}:{given.Key}", out var section))
            {
                faults.Add(Unknown($"{Root}:{given.Key}", known.Keys));
                continue;
            }

            foreach (var value in given.GetChildren())
            {
                var setting = section.Settings.FirstOrDefault(s => s.Property.Name.Equals(value.Key, StringComparison.OrdinalIgnoreCase));
                if (setting is null)
                {
                    faults.Add(Unknown($"{section.Name}:{value.Key}", section.Settings.Select(s => s.Key)));
                }
                else if (setting.Fault(value.Value) is { } fault)
                {
                    faults.Add(fault);
                }
            }
        }

        return faults;
    }

    /// <summary>Checks as <see cref="Check"/> does, and ends the start where something is wrong.</summary>
    /// <exception cref="StartException">With all faults.</exception>
    public void Require(IConfiguration configuration)
    {
        if (Check(configuration) is not { Count: > 0 } faults) return;
        throw new StartException(new(string.Join(" ", faults.Select(fault => fault.De)), string.Join(" ", faults.Select(fault => fault.In(Language.English)))));
    }

    /// <summary>Makes every options class available as <c>IOptions</c>, bound to the configuration.</summary>
    public void AddTo(IServiceCollection services)
    {
        foreach (var section in _all) section.Register(services);
    }

    private static LocalText Unknown(string key, IEnumerable<string> known)
    {
        var nearest = known.OrderBy(name => Spelling.Distance(name, key)).FirstOrDefault();
        return new(
            $"Die Einstellung {key} gibt es nicht; gemeint ist vielleicht {nearest}. Alle Einstellungen zeigt --help.",
            $"There is no setting {key}; perhaps {nearest} is meant. --help shows all settings.");
    }

    private static SettingsSection[] Find(Assembly[] rooms) =>
    [
        .. from room in rooms
           from type in room.GetTypes()
           let name = type.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string
           where type.IsClass && name is not null && name.StartsWith(Root + ":", StringComparison.Ordinal)
           select new SettingsSection(name, type),
    ];
}

/// <summary>One options class.</summary>
internal sealed class SettingsSection
{
    public SettingsSection(string name, Type type)
    {
        Name = name;
        Type = type;
        var defaults = Activator.CreateInstance(type)!;
        Settings =
        [
            .. from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
               where property.CanRead && property.CanWrite
               select new SettingInfo(name, property, property.GetValue(defaults)),
        ];
    }

    /// <summary>Such as <c>DataHub:Log</c>.</summary>
    public string Name { get; }

    public Type Type { get; }

    public IReadOnlyList<SettingInfo> Settings { get; }

    public void Register(IServiceCollection services) =>
        typeof(SettingsSection).GetMethod(nameof(Bind), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(Type).Invoke(null, [services, Name]);

    private static void Bind<T>(IServiceCollection services, string section)
        where T : class =>
        services.AddSingleton<IConfigureOptions<T>>(provider =>
            new ConfigureOptions<T>(options => provider.GetRequiredService<IConfiguration>().GetSection(section).Bind(options)));
}

/// <summary>One setting.</summary>
internal sealed class SettingInfo(string section, PropertyInfo property, object? fallback)
{
    private readonly RangeAttribute? _range = property.GetCustomAttribute<RangeAttribute>();
    private readonly SettingAttribute? _meaning = property.GetCustomAttribute<SettingAttribute>();

    public PropertyInfo Property { get; } = property;

    /// <summary>Such as <c>DataHub:Log:Shards</c>.</summary>
    public string Key { get; } = $"{section}:{property.Name}";

    /// <summary>Such as <c>DATAHUB__LOG__SHARDS</c>.</summary>
    public string Variable => Key.Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant();

    public string Default => Text(fallback);

    /// <summary>What is allowed, for people.</summary>
    public string Allowed =>
        _range is { } range ? $"{Text(range.Minimum)} … {Text(range.Maximum)}"
        : Property.PropertyType == typeof(bool) ? "true, false"
        : Property.PropertyType.IsEnum ? string.Join(", ", Enum.GetNames(Property.PropertyType))
        : "Text";

    public LocalText? Meaning => _meaning is { } meaning ? new(meaning.De, meaning.En) : null;

    /// <summary>What is wrong with a configured value, or null.</summary>
    public LocalText? Fault(string? text)
    {
        var type = Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;
        if (type == typeof(string)) return null;
        try
        {
            var value = TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text ?? "");
            if (_range is null || _range.IsValid(value)) return null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            // Told below, with what is allowed.
        }

        return new(
            $"Die Einstellung {Key} (Umgebungsvariable {Variable}) hat den Wert „{text}“; erlaubt ist {Allowed}.",
            $"The setting {Key} (environment variable {Variable}) has the value “{text}”; allowed is {Allowed}.");
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
